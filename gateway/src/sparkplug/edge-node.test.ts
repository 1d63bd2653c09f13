import { describe, expect, test } from "bun:test";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import { bdSeqOf, EdgeRig, encode, expectSequence, kinds, metricOf } from "../../test/edge-rig.ts";
import { EDGE } from "./edge-node.ts";

/** The numbers before the colons are those of the table in docs/sparkplug.md. Payloads are read by Eclipse Tahu's code. */

describe("births and deaths", () => {
  test("SP01: the will is an NDEATH with its bdSeq as Int64, a time, and nothing else", () => {
    const { will } = new EdgeRig().connect();
    expect(will.topic).toBe("spBv1.0/Plant/NDEATH/GW 1");
    expect(will.seq).toBeUndefined();
    expect(will.metrics).toHaveLength(1);
    expect(will.metrics[0]).toMatchObject({ name: "bdSeq", type: "Int64", value: 0 });
    expect(will.timeMs).toBeGreaterThan(0);
  });

  test("SP02: births come first and together, with every metric, its name, alias, type, time and value", () => {
    const rig = new EdgeRig();
    rig.put(1, 20.5);
    rig.put(2, -7n);
    expect(rig.tick()).toEqual([]);
    const { told } = rig.connect();
    expect(told.map(({ topic }) => topic)).toEqual([
      "spBv1.0/Plant/NBIRTH/GW 1",
      "spBv1.0/Plant/DBIRTH/GW 1/Press",
      "spBv1.0/Plant/DBIRTH/GW 1/Oven",
    ]);
    expectSequence(told);
    for (const { timeMs, metrics } of told) {
      expect(timeMs).toBe(rig.wallMs);
      for (const { name, type, timestamp } of metrics) {
        expect([typeof name, typeof type]).toEqual(["string", "string"]);
        expect(timestamp).toBeGreaterThan(0);
      }
    }
    expect(metricOf(told[1], "Temperature")).toMatchObject({ type: "Double", value: 20.5, alias: 17 });
    expect(metricOf(told[1], "Count")).toMatchObject({ type: "Int64", value: -7, alias: 18 });
  });

  test("SP03: a metric without a value is told as null and has none", () => {
    const { told } = new EdgeRig().connect();
    expect(metricOf(told[2], "Heat")).toMatchObject({
      type: "Boolean",
      isNull: true,
      valueFields: 0,
      properties: { Quality: { value: 500 } },
    });
  });

  test("SP04: bdSeq is one more with every CONNECT, 0 after 255, and the same in will and birth", () => {
    const rig = new EdgeRig();
    for (let n = 0; n < 260; n++) {
      const { will, told } = rig.connect();
      expect([bdSeqOf(will), bdSeqOf(told[0])]).toEqual([n % 256, n % 256]);
      rig.node.unlinked();
    }
    expect(bdSeqOf(new EdgeRig({ bdSeq: 41 }).connect().will)).toBe(42);
    expect(metricOf(rig.connect().told[0], "bdSeq")?.type).toBe("Int64");
  });

  test("SP05: a device that is not there is not born; one that goes has a DDEATH, one that comes a DBIRTH", () => {
    const rig = new EdgeRig();
    const [, oven] = rig.devices;
    rig.offline.add(oven!.deviceId);
    const { told } = rig.connect();
    expect(kinds(told)).toEqual(["NBIRTH", "DBIRTH Press"]);
    rig.offline.clear();
    rig.values.set(3, { value: true, quality: QUALITY.good, timeMs: rig.wallMs });
    const came = rig.tick();
    expect(kinds(came)).toEqual(["DBIRTH Oven", "NDATA"]);
    expect(metricOf(came[0], "Heat")?.value).toBe(true);
    rig.put(3, false);
    rig.offline.add(oven!.deviceId);
    // What it told before it went comes before its death, and nothing after it.
    const went = rig.tick();
    expect(kinds(went)).toEqual(["DDATA Oven", "DDEATH Oven", "NDATA"]);
    expect(went[1]).toMatchObject({
      topic: "spBv1.0/Plant/DDEATH/GW 1/Oven",
      timeMs: rig.wallMs,
      metrics: [],
    });
    rig.put(3, null, QUALITY["bad.linkLost"]);
    expect(rig.tick()).toEqual([]);
    expectSequence(rig.told);
  });

  test("SP06: the edge node that ends on purpose tells its death and what still waited", () => {
    const rig = new EdgeRig();
    rig.connect();
    rig.put(1, 7);
    const outputs = rig.node.part(rig.now, "for a test");
    expect(kinds(rig.out(outputs))).toEqual(["DDATA Press"]);
    expect(rig.others).toMatchObject([{ do: "part", topic: "spBv1.0/Plant/NDEATH/GW 1", why: "for a test" }]);
    expect(rig.node.part(rig.now, "again")).toEqual([]);
  });
});

describe("data", () => {
  test("SP07: only what changed is told, by alias without name and type, with its time, oldest first", () => {
    const rig = new EdgeRig();
    rig.put(1, 1);
    rig.connect();
    rig.tick();
    rig.put(1, 1);
    expect(rig.tick()).toEqual([]);
    rig.put(1, 2);
    const late = rig.wallMs - 500;
    rig.node.take(2, 5n, QUALITY.good, late);
    rig.pass(10);
    rig.put(1, 3);
    const [message, ...more] = rig.tick();
    expect(more).toEqual([]);
    expect(message).toMatchObject({ topic: "spBv1.0/Plant/DDATA/GW 1/Press", timeMs: rig.wallMs });
    expect(message?.metrics.map(({ alias, value }) => [alias, value])).toEqual([
      [18, 5],
      [17, 2],
      [17, 3],
    ]);
    const times = message?.metrics.map(({ timestamp }) => timestamp ?? 0) ?? [];
    expect(times).toEqual([...times].sort((a, b) => a - b));
    for (const { name, type, isHistorical } of message?.metrics ?? [])
      expect([name, type, isHistorical ?? false]).toEqual([undefined, undefined, false]);
  });

  test("SP08: quality goes with every value that is not good, a bad one has no value, and good again is said", () => {
    const rig = new EdgeRig();
    rig.values.set(1, { value: 1, quality: QUALITY.good, timeMs: rig.wallMs });
    rig.connect();
    const next = (...sample: Parameters<EdgeRig["put"]>) => {
      rig.put(...sample);
      const metric = rig.tick()[0]?.metrics[0];
      return [
        metric?.value,
        metric?.isNull,
        metric?.properties?.Quality?.value,
        metric?.properties?.Reason?.value,
      ];
    };
    expect(next(1, 2)).toEqual([2, false, undefined, undefined]);
    expect(next(1, 2, QUALITY["uncertain.outOfRange"])).toEqual([2, false, 0, "uncertain.outOfRange"]);
    expect(next(1, 2, QUALITY["uncertain.lastUsable"])).toEqual([2, false, 500, "uncertain.lastUsable"]);
    expect(next(1, null, QUALITY["bad.deviceTimeout"])).toEqual([null, true, 0, "bad.deviceTimeout"]);
    expect(next(1, Number.NaN, QUALITY["bad.notFinite"])).toEqual([null, true, 0, "bad.notFinite"]);
    expect(next(1, 2)).toEqual([2, false, 192, undefined]);
    expect(next(1, 3)).toEqual([3, false, undefined, undefined]);
  });

  test("SP09: the sequence goes on over 600 messages of all kinds, 0 after 255", () => {
    const rig = new EdgeRig();
    rig.connect();
    const { deviceId } = rig.devices[1]!;
    for (let n = 0; n < 500; n++) {
      rig.put(1, n);
      if (n % 40 === 20) rig.offline.add(deviceId);
      if (n % 40 === 0) rig.offline.delete(deviceId);
      if (n % 3 === 0) rig.put(3, n % 2 === 0);
      rig.pass(100);
      rig.tick();
    }
    expect(rig.told.length).toBeGreaterThan(600);
    expect(new Set(rig.told.map(({ kind }) => kind))).toEqual(
      new Set(["NBIRTH", "DBIRTH", "DDATA", "DDEATH", "NDATA"]),
    );
    expectSequence(rig.told);
    expect(Math.max(...rig.told.map(({ seq }) => seq ?? -1))).toBe(255);
  });

  test("SP10: no alias is used twice at one edge node, and a tag keeps its own", () => {
    const births = () =>
      new EdgeRig().connect().told.flatMap(({ metrics }) => metrics.flatMap(({ alias }) => alias ?? []));
    expect(new Set(births()).size).toBe(births().length);
    expect(births()).toEqual(births());
  });

  test("SP11: while the broker does not read, births and deaths go on and changes wait", () => {
    const rig = new EdgeRig();
    rig.connect();
    rig.put(1, 1);
    rig.offline.add(rig.devices[1]!.deviceId);
    expect(kinds(rig.tick(false))).toEqual(["DDEATH Oven", "NDATA"]);
    expect(rig.node.waiting).toBe(1);
    expect(kinds(rig.tick())).toEqual(["DDATA Press"]);
    expect(rig.node.waiting).toBe(0);
  });

  test("many changes go in several messages, none too large", () => {
    const rig = new EdgeRig();
    rig.connect();
    for (let n = 0; n < 2.5 * EDGE.changesPerMessage; n++) rig.put(1, n);
    const told = rig.tick();
    expect(told.map(({ metrics }) => metrics.length)).toEqual([1_000, 1_000, 500]);
    expect(told.at(-1)?.metrics.at(-1)?.value).toBe(2_499);
  });
});

describe("a host asks for births", () => {
  test("SP12: Node Control/Rebirth is in the birth as Boolean false and has no alias", () => {
    const metric = metricOf(new EdgeRig().connect().told[0], "Node Control/Rebirth");
    expect(metric).toMatchObject({ type: "Boolean", value: false });
    expect(metric?.alias).toBeUndefined();
  });

  test("SP13: then all births come again, with seq 0 and the bdSeq of the CONNECT, and no data before them", () => {
    const rig = new EdgeRig({ bdSeq: 6 });
    rig.connect();
    rig.pass(EDGE.rebirthGapMs);
    rig.put(1, 5);
    const again = rig.askRebirth();
    expect(kinds(again)).toEqual(["NBIRTH", "DBIRTH Press", "DBIRTH Oven"]);
    expectSequence(again);
    expect(bdSeqOf(again[0])).toBe(7);
    expect(metricOf(again[1], "Temperature")?.value).toBe(5);
    // What waited is older than the birth: it comes as history.
    expect(rig.tick()[0]?.metrics[0]).toMatchObject({ value: 5, isHistorical: true });
    expect(rig.node).toMatchObject({ rebirths: 1, births: 2, lastRebirthMs: rig.wallMs });
  });

  test("SP14: requests in a row are one birth, soon, and no data comes until then", () => {
    const rig = new EdgeRig();
    rig.connect();
    rig.pass(100);
    for (let n = 0; n < 5; n++) expect(rig.askRebirth()).toEqual([]);
    rig.put(1, 5);
    expect(rig.tick()).toEqual([]);
    rig.pass(EDGE.rebirthGapMs);
    expect(kinds(rig.tick())).toEqual(["NBIRTH", "DBIRTH Press", "DBIRTH Oven"]);
    expect(rig.node.rebirths).toBe(1);
  });

  test("SP15: another command, a kept one, false, and bytes that are none do nothing", () => {
    const rig = new EdgeRig();
    rig.connect();
    rig.pass(EDGE.rebirthGapMs);
    const topic = "spBv1.0/Plant/NCMD/GW 1";
    const asked = (metric: object) => encode({ timestamp: rig.wallMs, metrics: [metric] });
    const rebirth = { name: "Node Control/Rebirth", type: "Boolean", value: true };
    expect(rig.hear(topic, asked({ ...rebirth, value: false }))).toEqual([]);
    expect(rig.hear(topic, asked({ ...rebirth, name: "Node Control/Reboot" }))).toEqual([]);
    expect(rig.hear(topic, asked(rebirth), true)).toEqual([]);
    expect(rig.hear(topic, Uint8Array.of(0x0a, 0xff))).toEqual([]);
    expect(rig.hear("spBv1.0/Plant/NCMD/other", asked(rebirth))).toEqual([]);
    expect(rig.hear(topic, asked(rebirth))).toHaveLength(3);
  });
});
