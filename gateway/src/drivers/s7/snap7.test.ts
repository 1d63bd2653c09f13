import { afterAll, beforeAll, expect, test } from "bun:test";
import type { S7Address } from "@millrace/contract/driver/s7/address";
import { decodeSettings } from "@millrace/contract/driver/settings";
import { systemClock } from "@millrace/contract/std/clock";
import { QUALITY, qualityName } from "@millrace/contract/vocabulary/quality";
import type { DataType, TagValue } from "@millrace/contract/vocabulary/value";
import { type Snap7Peer, snap7Peer } from "../../../test/snap7-peer.ts";
import type { Point } from "../../driver/driver.ts";
import { s7 } from "./index.ts";

let peer: Snap7Peer;

beforeAll(async () => {
  peer = await snap7Peer();
}, 60_000);

afterAll(() => peer?.[Symbol.asyncDispose]());

const signal = () => AbortSignal.timeout(20_000);

async function rig(over: Record<string, unknown> = {}) {
  const settings = decodeSettings(s7, { host: "127.0.0.1", port: peer.port, timeoutMs: 5_000, ...over });
  const session = await s7.create(settings, { clock: systemClock, onLost: () => {} });
  await session.connect(signal());
  const point = (text: string, dataType: DataType, id = 0): Point<S7Address> => ({
    id,
    address: s7.parseAddress(text, dataType, settings),
    dataType,
  });
  return { session, point, settings, [Symbol.asyncDispose]: () => session.close() };
}

const HELD: [address: string, dataType: DataType, value: TagValue][] = [
  ["DB1.DBW0", "uint16", 32_769],
  ["DB1.INT0", "int16", -32_767],
  ["DB1.DBX0.7", "boolean", true],
  ["DB1.DBX1.1", "boolean", false],
  ["DB1.SINT0", "int8", -128],
  ["DB1.DBB1", "uint8", 1],
  ["DB1.DINT4", "int32", -123_456],
  ["DB1.DBD4", "uint32", 4_294_843_840],
  ["DB1.LINT8", "int64", -1_234_567_890_123_456_789n],
  ["DB1.ULINT8", "uint64", 2n ** 64n - 1_234_567_890_123_456_789n],
  ["DB1.REAL16", "float32", 123.5],
  ["DB1.LREAL20", "float64", Math.PI],
  ["DB1.STRING30.10", "text", "Mill"],
  ["DB1.WSTRING42.8", "text", "Ω€"],
  ["DB1.DTL62", "text", "2026-11-26T13:05:00.25"],
  ["DB1.S5TIME74", "uint32", 127_000],
  ["DB1.DT76", "text", "2026-11-26T13:05:00.25"],
  ["DB1.CHAR84.6", "text", "Pad"],
  ["DB1.REAL100[7]", "float32", 10.5],
  ["DB1.REAL100[99]", "float32", 148.5],
  ["E0.0", "boolean", true],
  ["A1.1", "boolean", true],
  ["M10.2", "boolean", true],
  ["MB10", "uint8", 4],
  ["T0", "uint32", 127_000],
  ["Z0", "uint16", 42],
];

test("everything a Snap7 CPU holds is read as it was set; what it refuses spoils only itself", async () => {
  await using it = await rig();
  const refused = ["DB1.DBW511", "DB1.DBD600", "DB77.DBW0", "MW1023"];
  const points = [
    ...HELD.map(([text, dataType], id) => it.point(text, dataType, id)),
    ...refused.map((text, at) =>
      it.point(text, text.includes("DBD") ? "uint32" : "uint16", HELD.length + at),
    ),
  ];
  for (let round = 0; round < 2; round++) {
    const readings = await it.session.read(points, signal());
    expect<unknown[]>(readings.map(({ value }, at) => [HELD[at]?.[0], value])).toEqual([
      ...HELD.map(([text, , value]) => [text, value]),
      ...refused.map(() => [undefined, null]),
    ]);
    const qualities = readings.map(({ quality }) => qualityName(quality));
    expect(qualities).toEqual([
      ...HELD.map(() => "good"),
      ...refused.map(() => "bad.addressIllegal"),
    ] as never);
  }
  expect(it.session.counters().learned.join()).toContain("DB77 is not in the CPU");
});

test("what is written is in the CPU, bit for bit, and reads back the same", async () => {
  await using it = await rig();
  const values: [string, DataType, TagValue, at: number, hex: string][] = [
    ["DB2.DBX0.3", "boolean", true, 0, "08"],
    ["DB2.DBX0.0", "boolean", true, 0, "09"],
    ["DB2.DBX0.3", "boolean", false, 0, "01"],
    ["DB2.USINT1", "uint8", 200, 1, "c8"],
    ["DB2.INT2", "int16", -2, 2, "fffe"],
    ["DB2.DBD4", "uint32", 0xdeadbeef, 4, "deadbeef"],
    ["DB2.REAL8", "float32", 123.5, 8, "42f70000"],
    ["DB2.LREAL12", "float64", -1.5, 12, "bff8000000000000"],
    ["DB2.LINT20", "int64", -2n, 20, "fffffffffffffffe"],
    ["DB2.S5TIME28", "uint32", 127_000, 28, "2127"],
    ["DB2.DTL30", "text", "2026-11-26T13:05:00.25", 30, "07ea0b1a050d05000ee6b280"],
    ["DB2.DT42", "text", "2026-11-26T13:05:00.25", 42, "2611261305002505"],
    // The greatest length is the program's and stays 0 here.
    ["DB2.STRING50.10", "text", "Mühle", 50, "00054dfc686c65"],
    ["DB2.WSTRING70.4", "text", "Ω", 70, "0000000103a9"],
    ["DB2.DATE80", "text", "1990-01-03", 80, "0002"],
    ["DB2.TOD82", "text", "00:00:01", 82, "000003e8"],
  ];
  for (const [text, dataType, value, at, hex] of values) {
    const point = it.point(text, dataType);
    expect(await it.session.write!([{ ...point, value }], signal())).toEqual([{ id: 0, done: true }]);
    expect([text, await peer.tell(`get 2 ${at} ${hex.length / 2}`)]).toEqual([text, hex]);
    const [reading] = await it.session.read([point], signal());
    expect([text, reading!.value]).toEqual([text, value]);
  }
});

test("many values in one call: in order, whole, and a refusal takes none of the others along", async () => {
  await using it = await rig({ pduMax: 240 });
  const writes = Array.from({ length: 60 }, (_, id) => ({
    ...it.point(`DB2.DINT${1_000 + id * 4}`, "int32", id),
    value: id,
  }));
  writes[7] = { ...it.point("DB77.DBW0", "uint16", 7), value: 1 } as never;
  writes[8] = { ...it.point("DB2.INT2", "int16", 8), value: 40_000 } as never;
  const outcomes = await it.session.write!(writes, signal());
  expect(outcomes.filter(({ done }) => !done)).toMatchObject([
    { id: 7, maybe: false, code: "address.illegal" },
    { id: 8, maybe: false, code: "request.invalid" },
  ]);
  const readings = await it.session.read(
    writes.filter(({ id }) => id !== 7 && id !== 8),
    signal(),
  );
  expect(readings.every(({ id, value }) => id === value)).toBe(true);
});

test("5b.3 a small telegram is obeyed: 3,000 values come whole through 240 bytes", async () => {
  await using it = await rig({ pduMax: 240 });
  const points = Array.from({ length: 3_000 }, (_, id) => it.point(`DB2.DINT${id * 8}`, "int32", id));
  const readings = await it.session.read(points, signal());
  expect(readings.filter(({ quality }) => quality === QUALITY.good)).toHaveLength(3_000);
  expect(it.session.counters().errors).toBe(0);
});

test("5b.12 a block that has another length after a download shows no numbers until it is published again", async () => {
  await using it = await rig({ family: "300" });
  const words = () => [it.point("DB1.DBW0", "uint16"), it.point("M10.2", "boolean", 1)];
  const points = words();
  const qualities = async (of = points) =>
    (await it.session.read(of, signal())).map(({ quality }) => qualityName(quality));
  expect(await qualities()).toEqual(["good", "good"]);
  try {
    await peer.tell("size 1 600");
    await it.session.connect(signal());
    expect(await qualities()).toEqual(["bad.mappingChanged", "good"]);
    expect(it.session.counters().learned.join()).toContain("600 bytes long where it was 512");
    const write = { ...points[0]!, value: 1 };
    expect(await it.session.write!([write], signal())).toMatchObject([
      { done: false, code: "device.refused" },
    ]);
    // Publishing makes new settings, and so new points.
    const again = decodeSettings(s7, { host: "127.0.0.1", port: peer.port, family: "300" });
    const fresh = points.map((one, id) => ({
      ...one,
      id,
      address: s7.parseAddress(s7.formatAddress(one.address), one.dataType, again),
    }));
    expect(await qualities(fresh)).toEqual(["good", "good"]);
  } finally {
    await peer.tell("size 1 512");
  }
});

test("a peer that is killed, frozen and started again is a coded error each time, and comes back", async () => {
  await using it = await rig({ timeoutMs: 500, connectTimeoutMs: 500 });
  const points = [it.point("DB1.DBW0", "uint16")];
  const codeOf = (error: { code: string }) => error.code;
  const code = () => it.session.read(points, signal()).then((readings) => readings[0]!.value, codeOf);
  const connected = () => it.session.connect(signal()).then(() => "connected", codeOf);
  /** As the gateway does it: again until it is there. What a slow machine answers late is a coded error too. */
  const back = async () => {
    for (let tries = 0; tries < 20; tries++) {
      const met = await connected();
      const read = met === "connected" ? await code() : met;
      if (typeof read === "number") return read;
      expect(["link.unreachable", "link.refused", "link.lost", "device.timeout"]).toContain(String(read));
    }
    return "never";
  };
  expect(await code()).toBe(32_769);
  peer.freeze(true);
  expect(await code()).toBe("device.timeout");
  expect(await connected()).toBe("link.unreachable");
  peer.freeze(false);
  expect(await back()).toBe(32_769);
  await peer.kill();
  expect(await code()).toBe("link.lost");
  expect(await connected()).toBe("link.refused");
  await peer.start();
  expect(await back()).toBe(32_769);
});
