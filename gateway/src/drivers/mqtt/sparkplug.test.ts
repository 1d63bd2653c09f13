import { describe, expect, test } from "bun:test";
import { parseAddress } from "@millrace/contract/driver/mqtt/address";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import type { DataType, TagValue } from "@millrace/contract/vocabulary/value";
import fc from "fast-check";
import { get } from "sparkplug-payload";
import { decodePayload } from "../../driver/sparkplug-payload/payload.ts";
import { rebirthPayload } from "./codec.ts";
import { EdgeNode, type MetricPoint, REBIRTH_MS } from "./sparkplug.ts";

/** Payloads are made by the Eclipse Tahu project's own encoder. */
const tahu = get("spBv1.0")!;
type TahuPayload = Parameters<typeof tahu.encodePayload>[0];
const encode = (payload: object) => tahu.encodePayload(payload as TahuPayload);

const NOW = Date.UTC(2026, 10, 26, 12);
const now = (afterMs = 0) => ({ wallMs: NOW + afterMs, monoMs: 50_000 + afterMs });
const SETTINGS = { staleMs: 600_000, missing: "bad" as const, offlinePayload: "offline" };
const pointOf = (id: number, address: string, dataType: DataType = "float64") =>
  ({ id, dataType, address: parseAddress(address, dataType, SETTINGS) }) as MetricPoint;

function node(points: MetricPoint[]) {
  const edge = new EdgeNode("G", "E", points);
  let at = 0;
  return {
    edge,
    send(type: string, payload: object | Uint8Array, { device = "", retained = false } = {}) {
      const bytes = payload instanceof Uint8Array ? payload : encode({ timestamp: NOW, ...payload });
      const topic = `spBv1.0/G/${type}/E${device === "" ? "" : `/${device}`}`;
      return edge.hear({ topic, payload: bytes, retained, delayed: false }, now(at++));
    },
    later(ms: number) {
      at += ms;
    },
  };
}

const bdSeq = (value: number) => ({ name: "bdSeq", type: "UInt64", value });
const birth = (seq: number, metrics: object[], bd = 0) => ({ seq, metrics: [bdSeq(bd), ...metrics] });

describe("a metric becomes a value of its type, or none", () => {
  test.each<[string, unknown, DataType, TagValue]>([
    ["Int8", -5, "int8", -5],
    ["Int16", -300, "int16", -300],
    ["Int32", -70_000, "int32", -70_000],
    ["Int64", -1, "int64", -1n],
    ["UInt8", 255, "uint8", 255],
    ["UInt32", 4_294_967_295, "uint32", 4_294_967_295],
    ["UInt64", 12_345_678_901, "uint64", 12_345_678_901n],
    ["Float", 1.5, "float32", 1.5],
    ["Double", Math.PI, "float64", Math.PI],
    ["Double", Number.NaN, "float64", Number.NaN],
    ["Boolean", true, "boolean", true],
    ["String", "Mühle", "text", "Mühle"],
    ["DateTime", NOW, "int64", BigInt(NOW)],
    ["Int32", 300, "float64", 300],
  ])("%s %p as %s", (type, value, dataType, expected) => {
    const it = node([pointOf(1, "spBv1.0/G/E metric=m", dataType)]);
    const { readings } = it.send("NBIRTH", birth(0, [{ name: "m", type, value }]));
    expect(readings).toEqual([{ id: 1, value: expected, quality: QUALITY.good, sourceTimeMs: NOW }]);
  });

  test.each<[string, unknown, DataType]>([
    ["Int32", 300, "uint8"],
    ["Double", 1.5, "int32"],
    ["Double", Number.NaN, "int32"],
    ["String", "12", "float64"],
    ["Boolean", true, "float64"],
    ["Int32", 2, "boolean"],
    ["Int32", null, "int32"],
  ])("%s %p is no %s", (type, value, dataType) => {
    const it = node([pointOf(1, "spBv1.0/G/E metric=m", dataType)]);
    const { readings } = it.send("NBIRTH", birth(0, [{ name: "m", type, value }]));
    expect(readings).toMatchObject([{ id: 1, value: null, quality: QUALITY["bad.valueInvalid"] }]);
    expect(it.edge.explain(1)).not.toBeNull();
  });

  test.each([
    [0, QUALITY["bad.unspecified"]],
    [192, QUALITY.good],
    [500, QUALITY["bad.stale"]],
  ])("the property Quality %d counts", (value, quality) => {
    const it = node([pointOf(1, "spBv1.0/G/E metric=m")]);
    const properties = { Quality: { type: "Int32", value } };
    const { readings } = it.send("NBIRTH", birth(0, [{ name: "m", type: "Double", value: 1, properties }]));
    expect(readings).toMatchObject([{ quality }]);
  });
});

describe("5d.8 the order of births, data and deaths", () => {
  const press = "spBv1.0/G/E/Press metric=temp";
  const born = (seq = 0, bd = 0) => {
    const it = node([pointOf(1, press), pointOf(2, "spBv1.0/G/E metric=up")]);
    it.send("NBIRTH", birth(seq, [{ name: "up", type: "Double", value: 1 }], bd));
    it.send(
      "DBIRTH",
      { seq: (seq + 1) % 256, metrics: [{ name: "temp", alias: 4, type: "Double", value: 20 }] },
      { device: "Press" },
    );
    return it;
  };
  const data = (seq: number, value: number) => ({ seq, metrics: [{ alias: 4, value, type: "Double" }] });

  test("an alias means something only after the birth that gave it", () => {
    const it = node([pointOf(1, press)]);
    expect(it.send("DDATA", data(9, 99), { device: "Press" })).toEqual({ readings: [], rebirth: true });
    const after = born();
    expect(after.send("DDATA", data(2, 21), { device: "Press" }).readings).toMatchObject([
      { id: 1, value: 21 },
    ]);
  });

  test("a birth with another alias takes the old one away", () => {
    const it = born();
    it.send(
      "DBIRTH",
      { seq: 2, metrics: [{ name: "temp", alias: 5, type: "Double", value: 1 }] },
      { device: "Press" },
    );
    expect(it.send("DDATA", data(3, 99), { device: "Press" }).readings).toEqual([]);
  });

  test("the first number may be any, and 255 is followed by 0", () => {
    const it = born(254);
    const told = it.send("DDATA", data(0, 22), { device: "Press" });
    expect(told).toMatchObject({ readings: [{ value: 22 }], rebirth: false });
  });

  test("a missing message asks for a birth, once in a while and not for each", () => {
    const it = born();
    expect(it.send("DDATA", data(7, 22), { device: "Press" }).rebirth).toBe(true);
    expect(it.send("DDATA", data(17, 23), { device: "Press" }).rebirth).toBe(false);
    it.later(REBIRTH_MS);
    expect(it.send("DDATA", data(27, 24), { device: "Press" }).rebirth).toBe(true);
  });

  test("a death of the device takes its values and no others; of the node, all", () => {
    const it = born(0, 7);
    expect(it.send("DDEATH", { seq: 2 }, { device: "Press" }).readings).toMatchObject([
      { id: 1, value: null, quality: QUALITY["bad.deviceOffline"] },
    ]);
    expect(it.send("DDATA", data(3, 9), { device: "Press" }).readings).toEqual([]);
    const dead = it.send("NDEATH", { metrics: [bdSeq(7)] }).readings;
    expect(dead.map(({ id, value }) => [id, value])).toEqual([
      [1, null],
      [2, null],
    ]);
  });

  test("the will of an earlier connection, delivered late, kills nobody", () => {
    const it = born(0, 8);
    expect(it.send("NDEATH", { metrics: [bdSeq(7)] }).readings).toEqual([]);
    expect(it.send("DDATA", data(2, 23), { device: "Press" }).readings).toMatchObject([{ value: 23 }]);
  });

  test("a node that begins anew has no devices until they are born again", () => {
    const it = born();
    const { readings } = it.send("NBIRTH", birth(0, [{ name: "up", type: "Double", value: 2 }]));
    expect(readings).toMatchObject([
      { id: 1, value: null, quality: QUALITY["bad.deviceOffline"] },
      { id: 2, value: 2 },
    ]);
  });

  test("retained births and data, commands of others and other nodes say nothing", () => {
    const it = born();
    expect(it.send("DDATA", data(2, 99), { device: "Press", retained: true }).readings).toEqual([]);
    expect(it.send("DCMD", data(2, 99), { device: "Press" }).readings).toEqual([]);
    expect(it.send("DDATA", data(2, 99), { device: "Other" }).readings).toEqual([]);
  });

  test("history is not taken for the present", () => {
    const it = born();
    const old = { seq: 2, metrics: [{ alias: 4, value: 5, type: "Double", isHistorical: true }] };
    expect(it.send("DDATA", old, { device: "Press" }).readings).toEqual([]);
    expect(it.edge.historical).toBe(1);
  });

  test("a metric the birth does not name is told so", () => {
    const it = node([pointOf(1, "spBv1.0/G/E metric=none")]);
    it.send("NBIRTH", birth(0, []));
    expect(it.edge.tellWaiting(now()).readings).toMatchObject([{ quality: QUALITY["bad.waitingForData"] }]);
    expect(it.edge.explain(1)).toContain("names no metric none");
  });
});

test("the question for a birth is one Tahu understands", () => {
  const { metrics, timestamp } = tahu.decodePayload(rebirthPayload(NOW));
  expect(Number(timestamp)).toBe(NOW);
  expect(metrics).toMatchObject([{ name: "Node Control/Rebirth", type: "Boolean", value: true }]);
});

test("garbled payloads take the value away and throw nothing; no bytes of one become a value", () => {
  const sound = encode({
    timestamp: NOW,
    seq: 1,
    metrics: [{ name: "m", alias: 4, type: "Double", value: 20.25 }],
  });
  const it = node([pointOf(1, "spBv1.0/G/E metric=m")]);
  it.send("NBIRTH", birth(0, [{ name: "m", alias: 4, type: "Double", value: 20.25 }]));
  expect(it.send("NDATA", sound.subarray(0, -3)).readings).toMatchObject([
    { value: null, quality: QUALITY["bad.valueInvalid"] },
  ]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      try {
        decodePayload(bytes);
      } catch (error) {
        expect((error as Error).constructor.name).toBe("Garbled");
      }
    }),
    { numRuns: 2_000 },
  );
  for (let length = 0; length < sound.length; length++) {
    const { readings } = it.send("NDATA", sound.slice(0, length));
    for (const { value } of readings) expect([null, 20.25]).toContain(value as number | null);
  }
});
