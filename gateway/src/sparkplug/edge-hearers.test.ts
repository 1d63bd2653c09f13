import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  bdSeqOf,
  deviceOf,
  EdgeRig,
  encode,
  expectSequence,
  kinds,
  metricOf,
  tagOf,
} from "../../test/edge-rig.ts";
import { EDGE } from "./edge-node.ts";

/** Who hears the edge node, and what nobody heard. The numbers are those of the table in docs/sparkplug.md. */

describe("the primary host", () => {
  test("SP16: nothing is told before its STATE says online, and only its own counts", () => {
    const rig = new EdgeRig({ primaryHost: "scada" });
    expect(rig.node.topics[0]).toBe("spBv1.0/STATE/scada");
    expect(rig.connect().told).toEqual([]);
    expect(rig.node.phase).toBe("waiting");
    rig.put(1, 5);
    expect(rig.tick()).toEqual([]);
    expect(rig.state(true, rig.wallMs, "another")).toEqual([]);
    expect(rig.state(false)).toEqual([]);
    for (const text of ["ONLINE", '{"online":"true","timestamp":1}', '{"online":true}', "{", ""])
      expect(rig.hear("spBv1.0/STATE/scada", new TextEncoder().encode(text), true)).toEqual([]);
    expect(kinds(rig.state(true))).toEqual(["NBIRTH", "DBIRTH Press", "DBIRTH Oven"]);
  });

  test("SP17: a STATE older than the last one does not count, one of the same moment does", () => {
    const rig = new EdgeRig({ primaryHost: "scada" });
    rig.connect();
    rig.state(true, 1_000);
    expect(rig.node.phase).toBe("born");
    rig.state(false, 999);
    expect(rig.node.phase).toBe("born");
    expect(rig.others).toEqual([]);
    rig.state(false, 1_000);
    expect(rig.node.phase).toBe("away");
    rig.connect();
    rig.state(true, 999);
    expect(rig.node.phase).toBe("waiting");
    rig.state(true, 1_000);
    expect(rig.node.phase).toBe("born");
  });

  test("SP18: when it goes the death is told and the session ends; when it is back, births and what was missed", () => {
    const rig = new EdgeRig({ primaryHost: "scada" });
    const first = rig.connect();
    rig.state(true);
    rig.pass(60_000);
    rig.tick();
    rig.state(false);
    expect(rig.others).toMatchObject([{ do: "part", topic: "spBv1.0/Plant/NDEATH/GW 1" }]);
    for (let n = 1; n <= 3; n++) {
      rig.pass(1_000);
      rig.put(1, n);
      expect(rig.tick()).toEqual([]);
    }
    const second = rig.connect();
    expect(second.told).toEqual([]);
    expect(bdSeqOf(second.will)).toBe(Number(bdSeqOf(first.will)) + 1);
    const births = rig.state(true);
    expect(metricOf(births[1], "Temperature")?.value).toBe(3);
    rig.pass(10);
    rig.put(1, 4);
    const [live, history] = rig.tick();
    expect(live?.metrics).toMatchObject([{ value: 4 }]);
    expect(history?.metrics).toMatchObject([1, 2, 3].map((value) => ({ value, isHistorical: true })));
    expect(rig.node.waiting).toBe(0);
    expectSequence([...births, live!, history!]);
  });

  test("a host that is heard before the subscriptions stand is waited for no longer than that", () => {
    const rig = new EdgeRig({ primaryHost: "scada" });
    rig.node.nextDeath(rig.now);
    rig.node.linked();
    expect(rig.state(true)).toEqual([]);
    expect(kinds(rig.out(rig.node.subscribed(rig.now)))[0]).toBe("NBIRTH");
  });
});

describe("what nobody heard", () => {
  test("SP19: the history is bounded: the oldest goes, is counted, and the count is told", () => {
    const rig = new EdgeRig({ historyMax: 10 });
    for (let n = 0; n < 25; n++) {
      rig.put(1, n);
      rig.tick();
    }
    expect([rig.node.waiting, rig.history.dropped]).toEqual([10, 15]);
    const { told } = rig.connect();
    expect(metricOf(told[0], "Node Info/Changes Dropped")?.value).toBe(15);
    const [history] = rig.tick();
    expect(history?.metrics.map(({ value }) => value)).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23, 24]);
  });

  test("SP20: what a dead link may have swallowed is told again as history, what it cannot have is not", () => {
    const rig = new EdgeRig();
    rig.connect();
    rig.put(1, 1);
    rig.tick();
    rig.pass(60_000);
    rig.tick();
    rig.put(1, 2);
    rig.put(3, true);
    rig.tick();
    rig.node.unlinked();
    rig.connect();
    const told = rig.tick().map(({ device, metrics }) => [device, metrics.map(({ value }) => value)]);
    expect(told).toEqual([
      ["Press", [2]],
      ["Oven", [true]],
    ]);
    expect(rig.told.slice(-2).every(({ metrics }) => metrics[0]?.isHistorical)).toBe(true);
  });

  test("history of a device that is away waits for its birth, and a large one does not hold up what is live", () => {
    const tags = [tagOf(1, "a")];
    const rig = new EdgeRig({
      devices: [deviceOf(1, "One", tags), deviceOf(2, "Two", [tagOf(2, "b")])],
      historyMax: 1_000_000,
    });
    rig.put(2, 1);
    for (let n = 0; n < 30_000; n++) rig.put(1, n);
    rig.tick();
    rig.offline.add(rig.devices[1]!.deviceId);
    rig.connect();
    rig.put(1, -1);
    const told = rig.tick();
    expect(told[0]?.metrics).toMatchObject([{ value: -1 }]);
    expect(told).toHaveLength(1 + EDGE.historyMessagesPerTurn);
    rig.tick();
    expect(rig.node.waiting).toBe(1);
    rig.offline.clear();
    expect(kinds(rig.tick())).toEqual(["DBIRTH Two", "NDATA", "DDATA Two"]);
  });
});

test("bytes that are none, and messages cut anywhere, end in nothing or a refusal", () => {
  const rig = new EdgeRig({ writes: true, primaryHost: "scada" });
  rig.connect();
  rig.state(true);
  const command = encode({
    timestamp: rig.wallMs,
    metrics: [{ name: "Temperature", type: "Double", value: 1, alias: 17 }],
  });
  const topics = [
    "STATE/scada",
    "Plant/NCMD/GW 1",
    "Plant/DCMD/GW 1/Press",
    "Plant/DCMD/GW 1/",
    "",
    "Plant/DCMD/GW 1",
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...topics),
      fc.oneof(
        fc.uint8Array({ maxLength: 64 }),
        fc.nat(command.length).map((length) => command.slice(0, length)),
        fc.tuple(fc.nat(command.length - 1), fc.nat(255)).map(([at, byte]) => command.with(at, byte)),
      ),
      (topic, bytes) => {
        const outputs = rig.node.hear(`spBv1.0/${topic}`, bytes, false, rig.now);
        expect(outputs.every((output) => output.do === "refuse")).toBe(true);
        expect(rig.node.phase).toBe("born");
      },
    ),
    { numRuns: 10_000 },
  );
});

test("a disk that refuses costs history, which is counted, and stops nothing", () => {
  const rig = new EdgeRig();
  rig.put(3, true);
  rig.tick();
  rig.put(1, 1);
  rig.history.close();
  rig.tick();
  expect(rig.history.dropped).toBe(1);
  rig.put(1, 2);
  rig.tick();
  expect(rig.history.dropped).toBe(2);
  expect(metricOf(rig.connect().told[0], "Node Info/Changes Dropped")?.value).toBe(2);
  rig.put(1, 3);
  expect(rig.tick()[0]?.metrics[0]?.value).toBe(3);
});

test("a history of nothing keeps nothing", () => {
  const rig = new EdgeRig({ historyMax: 0 });
  rig.put(1, 1);
  rig.tick();
  expect([rig.node.waiting, rig.history.dropped]).toEqual([0, 1]);
});
