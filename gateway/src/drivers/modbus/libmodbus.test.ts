import { afterAll, beforeAll, expect, test } from "bun:test";
import { decodeSettings } from "@millrace/contract/driver/settings";
import { systemClock } from "@millrace/contract/std/clock";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import type { DataType, TagValue } from "@millrace/contract/vocabulary/value";
import { libmodbusPeer } from "../../../test/libmodbus-peer.ts";
import { modbus } from "./index.ts";
import { SimulatedLine } from "./simulated-line.ts";

/** The same device on the network and at the other end of a serial cable. */
const WAYS = ["tcp", "serial"] as const;
const settingsOf = new Map<string, object>();
const opened: AsyncDisposable[] = [];

beforeAll(async () => {
  const tcp = await libmodbusPeer();
  const [ours, theirs] = await SimulatedLine.pair();
  const serial = await libmodbusPeer(theirs.path);
  opened.push(
    tcp,
    serial,
    { [Symbol.asyncDispose]: () => ours.close() },
    { [Symbol.asyncDispose]: () => theirs.close() },
  );
  settingsOf.set("tcp", { host: "127.0.0.1", port: tcp.port });
  // A pseudo terminal knows no parity.
  settingsOf.set("serial", { transport: "serial", serialPort: ours.path, baudRate: 115_200, parity: "none" });
}, 60_000);

afterAll(async () => {
  for (const one of opened) await one[Symbol.asyncDispose]();
});

const HELD: [address: string, dataType: DataType, value: TagValue][] = [
  ["holding:0 order=ABCD", "float32", 123.5],
  ["holding:2 order=BADC", "float32", 123.5],
  ["holding:4 order=CDAB", "float32", 123.5],
  ["holding:6 order=DCBA", "float32", 123.5],
  ["holding:8", "int32", -123_456],
  ["holding:8", "uint32", 4_294_843_840],
  ["holding:10", "int64", -1_234_567_890_123_456_789n],
  ["holding:10", "uint64", 2n ** 64n - 1_234_567_890_123_456_789n],
  ["40015", "int16", -32_767],
  ["holding:14", "uint16", 32_769],
  ["holding:14 byte=high", "int8", -128],
  ["holding:14", "uint8", 1],
  ["holding:14.15", "boolean", true],
  ["holding:14.1", "boolean", false],
  ["holding:16 length=6", "text", "Mill"],
  ["input:0", "float64", Math.PI],
  ["30005", "uint16", 65_535],
  ...[1, 0, 1, 0, 0, 1, 0, 1].flatMap((bit, at): [string, DataType, TagValue][] => [
    [`coil:${at}`, "boolean", bit === 1],
    [`discrete:${8 + at}`, "boolean", bit === 1],
  ]),
];

test.each(WAYS)(
  "everything a libmodbus device holds is read as it was set, and its end is an illegal address: %s",
  async (way) => {
    const settings = decodeSettings(modbus, { ...settingsOf.get(way), timeoutMs: 5_000 });
    const session = await modbus.create(settings, { clock: systemClock, onLost: () => {} });
    const signal = AbortSignal.timeout(20_000);
    const points = [...HELD, ["holding:200", "uint16", null] as const].map(([text, dataType], id) => ({
      id,
      address: modbus.parseAddress(text, dataType, settings),
      dataType,
    }));
    await session.connect(signal);
    try {
      const readings = await session.read(points, signal);
      expect<unknown[]>(readings.map(({ value }, at) => [HELD[at]?.[0], value])).toEqual([
        ...HELD.map(([text, , value]) => [text, value]),
        [undefined, null],
      ]);
      expect(readings.at(-1)!.quality).toBe(QUALITY["bad.addressIllegal"]);
      expect(readings.slice(0, -1).every(({ quality }) => quality === QUALITY.good)).toBe(true);
    } finally {
      await session.close();
    }
  },
);

/** None of these is what the device holds, and the last part of each pair shares a register with the first. */
const WRITTEN: [address: string, dataType: DataType, value: TagValue][] = [
  ["holding:30 order=DCBA", "float32", -0.75],
  ["holding:32 order=CDAB", "int32", -123_457],
  ["holding:34", "uint64", 2n ** 64n - 3n],
  ["holding:38", "uint16", 40_000],
  ["holding:39.15", "boolean", true],
  ["holding:39.2", "boolean", true],
  ["holding:40 byte=high", "uint8", 200],
  ["holding:40 byte=low", "int8", -3],
  ["holding:42 length=8", "text", "Race 7"],
  ["coil:1", "boolean", true],
];

for (const [way, writeBy] of WAYS.flatMap((one) => [[one, "single"] as const, [one, "multiple"] as const])) {
  test(`what is written by ${writeBy} functions stands in a libmodbus device, and its end is refused: ${way}`, async () => {
    const settings = decodeSettings(modbus, { ...settingsOf.get(way), timeoutMs: 5_000, writeBy });
    const session = await modbus.create(settings, { clock: systemClock, onLost: () => {} });
    const signal = AbortSignal.timeout(20_000);
    const points = [...WRITTEN, ["holding:200", "uint16", 1] as const].map(([text, dataType, value], id) => ({
      id,
      address: modbus.parseAddress(text, dataType, settings),
      dataType,
      value,
    }));
    await session.connect(signal);
    try {
      const outcomes = await session.write!(points, signal);
      expect(outcomes.map(({ done }) => done)).toEqual([...WRITTEN.map(() => true), false]);
      expect(outcomes.at(-1)).toMatchObject({ code: "address.illegal", maybe: false });
      const readings = await session.read(points.slice(0, -1), signal);
      expect<unknown[]>(readings.map(({ value }) => value)).toEqual(WRITTEN.map(([, , value]) => value));
    } finally {
      await session.close();
    }
  });
}
