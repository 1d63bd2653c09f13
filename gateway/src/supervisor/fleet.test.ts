import { describe, expect, test } from "bun:test";
import { QUALITY, qualityLevel } from "@millrace/contract/vocabulary/quality";
import type { ManifestDevice } from "@millrace/contract/wire/manifest";
import { FakeClock } from "../../test/fake-clock.ts";
import { FakePlant, FakeSink, fakeDevice, fakeTag } from "../../test/fake-plant.ts";
import { Fleet } from "./fleet.ts";

async function start(devices: ManifestDevice[], prepare: (plant: FakePlant) => void = () => {}) {
  const clock = new FakeClock();
  const plant = new FakePlant(clock);
  prepare(plant);
  const sink = new FakeSink(clock);
  const fleet = new Fleet({ clock, random: () => 0.5, sink, driverOf: plant.driverOf });
  await fleet.apply({ rev: 1, devices });
  const status = (n: number) => {
    const found = fleet.statuses()[n];
    if (!found) throw new Error(`no device ${n}`);
    return found;
  };
  return { clock, plant, sink, fleet, status };
}

const badNow = (sink: FakeSink, tagNo: number) => qualityLevel(sink.last(tagNo)?.quality ?? 0) === "bad";

describe("a healthy device", () => {
  test("is read at every deadline, its samples are sent by exception and by heartbeat", async () => {
    const { clock, plant, sink, status } = await start([fakeDevice(1)]);
    await clock.advance(30_000);
    expect(status(0)).toMatchObject({ linkState: "up", code: "", cyclesMissed: 0, tagsGood: 2, tagsBad: 0 });
    expect(status(0).cycles).toBeGreaterThanOrEqual(29);
    expect(plant.unit("host1").reads.length).toBe(status(0).cycles);
    const sent = sink.of(100).map((sample) => sample.monoMs);
    expect(sent.length).toBe(3);
    expect(sent[1]! - sent[0]!).toBe(10_000);
  });

  test("reads groups that are due together in one call", async () => {
    const device = fakeDevice(1, { tags: [fakeTag(1), fakeTag(2, { scanMs: 5_000, heartbeatMs: 60_000 })] });
    const { clock, plant } = await start([device]);
    await clock.advance(9_999);
    const both = plant.unit("host1").reads.filter((read) => read.ids.length === 2);
    expect(plant.unit("host1").reads.length).toBe(10);
    expect(both.length).toBe(2);
  });

  test("does not notice a stepped wall clock", async () => {
    const { clock, sink, status } = await start([fakeDevice(1)]);
    await clock.advance(5_000);
    clock.stepWall(-3_600_000);
    await clock.advance(30_000);
    expect(status(0).cyclesMissed).toBe(0);
    expect(sink.of(100).length).toBe(4);
  });
});

describe("trouble of one device never disturbs another", () => {
  const troubles: [string, (plant: FakePlant) => void][] = [
    ["is off", (plant) => plant.kill("host1", "link.unreachable")],
    ["refuses", (plant) => plant.kill("host1", "link.refused")],
    [
      "times out",
      (plant) => Object.assign(plant.unit("host1"), { answerMs: 1_000, fails: "device.timeout" }),
    ],
    ["answers late", (plant) => Object.assign(plant.unit("host1"), { answerMs: 2_500 })],
    ["never answers", (plant) => Object.assign(plant.unit("host1"), { hangs: true })],
    ["garbles", (plant) => Object.assign(plant.unit("host1"), { fails: "link.garbled" })],
    ["hits a bug of its driver", (plant) => Object.assign(plant.unit("host1"), { bug: new TypeError("x") })],
  ];
  test.each(troubles)("when it %s", async (_, trouble) => {
    const { clock, plant, sink, status } = await start([fakeDevice(1), fakeDevice(2)]);
    await clock.advance(10_000);
    trouble(plant);
    await clock.advance(60_000);
    expect(status(1)).toMatchObject({ linkState: "up", cyclesMissed: 0, tagsGood: 2 });
    const times = plant.unit("host2").reads.map((read) => read.atMs);
    for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBe(1_000);
    expect(plant.overlaps).toBe(0);
    expect(sink.of(200).every((sample) => sample.quality === QUALITY.good)).toBe(true);
  });
});

describe("bad quality in time", () => {
  test("a refused link turns the tags bad at once and says why in words", async () => {
    const { clock, plant, sink, status } = await start([fakeDevice(1)]);
    await clock.advance(10_000);
    const killed = clock.monoMs();
    plant.kill("host1");
    await clock.advance(1_100);
    expect(sink.last(100)).toMatchObject({ value: null });
    expect(badNow(sink, 100)).toBe(true);
    expect(sink.of(100).find((sample) => sample.value === null)!.monoMs - killed).toBeLessThan(1_000);
    await clock.advance(3_000);
    expect(status(0)).toMatchObject({ linkState: "waiting", code: "link.refused", tagsBad: 2, tagsGood: 0 });
    expect(status(0).reason).toMatch(/^host1 refused the connection\. Failed \d times, next try in 1 s\.$/);
    expect(sink.last(100)?.quality).toBe(QUALITY["bad.linkRefused"]);
  });

  test("the first failed cycle changes nothing, the second turns the tags bad, the next answer good", async () => {
    const { clock, plant, sink, status } = await start([fakeDevice(1)]);
    await clock.advance(10_000);
    plant.unit("host1").fails = "device.busy";
    await clock.advance(1_000);
    expect(badNow(sink, 100)).toBe(false);
    await clock.advance(1_000);
    expect(sink.last(100)?.quality).toBe(QUALITY["bad.deviceBusy"]);
    plant.unit("host1").fails = null;
    await clock.advance(1_000);
    expect(sink.last(100)).toMatchObject({ value: 100, quality: QUALITY.good });
    expect(status(0)).toMatchObject({ linkState: "up", code: "" });
  });

  test.each([900, 1_000, 3_000])(
    "a silent device is bad within 2.5 intervals (its timeout: %d ms)",
    async (timeoutMs) => {
      const { clock, plant, sink } = await start([fakeDevice(1)]);
      await clock.advance(10_000);
      Object.assign(plant.unit("host1"), { answerMs: timeoutMs, fails: "device.timeout" });
      const lastGood = plant.unit("host1").reads.at(-1)!.atMs;
      await clock.advance(6_000);
      const firstBad = sink.of(100).find((sample) => sample.value === null);
      expect(firstBad?.quality).toBe(QUALITY["bad.deviceTimeout"]);
      expect(firstBad!.monoMs - lastGood).toBeLessThanOrEqual(2_500);
    },
  );

  test("bad samples are repeated at the heartbeat interval", async () => {
    const { clock, plant, sink } = await start([fakeDevice(1)]);
    await clock.advance(10_000);
    plant.kill("host1");
    await clock.advance(61_000);
    const bad = sink.of(100).filter((sample) => sample.quality === QUALITY["bad.linkRefused"]);
    expect(bad.length).toBeGreaterThanOrEqual(6);
    expect(bad.length).toBeLessThanOrEqual(7);
  });
});

describe("recovery", () => {
  test("a restarted device is back within 3 s", async () => {
    const { clock, plant, sink, status } = await start([fakeDevice(1)]);
    await clock.advance(10_000);
    plant.kill("host1");
    await clock.advance(4_000);
    plant.revive("host1");
    await clock.advance(2_000);
    expect(status(0).linkState).toBe("up");
    expect(sink.last(100)?.quality).toBe(QUALITY.good);
  });

  test("tries grow to 5 s apart and only one is under way", async () => {
    const { clock, plant } = await start([fakeDevice(1)], (plant) => plant.kill("host1"));
    await clock.advance(300_000);
    const times = plant.connects.map((connect) => connect.atMs);
    const waits = times.slice(1).map((time, i) => time - times[i]!);
    expect(waits[0]).toBeLessThanOrEqual(1_100);
    expect(waits.at(-1)).toBe(5_005);
    expect(Math.max(...waits)).toBe(5_005);
  });

  test("a device that was off for a day is back within 10 s", async () => {
    const { clock, plant, sink } = await start([fakeDevice(1)]);
    await clock.advance(10_000);
    plant.kill("host1", "link.unreachable");
    await clock.advance(86_400_000);
    plant.revive("host1");
    await clock.advance(10_000);
    expect(sink.last(100)?.quality).toBe(QUALITY.good);
  });

  test("a slowly scanned device is read at once after its link came back, not at its next deadline", async () => {
    const tags = [fakeTag(1, { scanMs: 3_600_000, heartbeatMs: 3_600_000 })];
    const { clock, plant, sink } = await start([fakeDevice(1, { tags })]);
    await clock.advance(10_000);
    plant.kill("host1");
    await clock.advance(3_000);
    plant.revive("host1");
    await clock.advance(2_000);
    expect(sink.last(1)?.quality).toBe(QUALITY.good);
  });

  test("a hanging driver loses its session and the device comes back with a new one", async () => {
    const { clock, plant, status } = await start([fakeDevice(1)]);
    await clock.advance(5_000);
    plant.unit("host1").hangs = true;
    await clock.advance(60_000);
    expect(status(0)).toMatchObject({ linkState: "waiting", code: "device.timeout" });
    plant.unit("host1").hangs = false;
    await clock.advance(120_000);
    expect(status(0)).toMatchObject({ linkState: "up" });
  });
});

describe("missed cycles", () => {
  test("are skipped and counted, not queued; the tags of a slow device do not flicker", async () => {
    const { clock, plant, sink, status } = await start([fakeDevice(1)], (plant) => {
      plant.unit("host1").answerMs = 1_500;
    });
    await clock.advance(61_000);
    const { cycles, cyclesMissed } = status(0);
    expect(cycles).toBeGreaterThanOrEqual(30);
    expect(cycles).toBeLessThanOrEqual(31);
    expect(cyclesMissed).toBeGreaterThanOrEqual(29);
    expect(sink.of(100).filter((sample) => sample.quality !== QUALITY.good).length).toBe(0);
    expect(status(0).reason).toContain("needs 2 s for a cycle of 1 s");
    expect(plant.overlaps).toBe(0);
  });

  test("deadlines of an outage count as missed", async () => {
    const { clock, status } = await start([fakeDevice(1)], (plant) => plant.kill("host1"));
    await clock.advance(20_000);
    expect(status(0).cycles).toBe(0);
    expect(status(0).cyclesMissed).toBeGreaterThanOrEqual(19);
  });
});

describe("a shared connection", () => {
  const unit = (n: number) => fakeDevice(n, { settings: { host: "line", unit: n } });

  test("is one session and its calls never overlap", async () => {
    const { clock, plant, status } = await start([unit(1), unit(2), unit(3)]);
    await clock.advance(20_000);
    expect(plant.connects.length).toBe(1);
    expect(plant.overlaps).toBe(0);
    for (const n of [0, 1, 2]) expect(status(n)).toMatchObject({ linkState: "up", cyclesMissed: 0 });
    expect(status(0).requests).toBe(plant.unit("line", 1).reads.length);
  });

  test("a dead unit is probed less and less and leaves the line to its neighbours", async () => {
    const { clock, plant, sink, status } = await start([unit(1), unit(2)]);
    await clock.advance(10_000);
    Object.assign(plant.unit("line", 1), { answerMs: 1_000, fails: "device.timeout" });
    await clock.advance(120_000);
    const dead = plant.unit("line", 1).reads.slice(-2);
    expect(dead[1]!.atMs - dead[0]!.atMs).toBeGreaterThanOrEqual(30_000);
    expect(dead[1]!.ids.length).toBe(1);
    expect(status(0)).toMatchObject({ code: "device.timeout" });
    expect(status(1).linkState).toBe("up");
    // One cycle for each of the few probes, of 130.
    expect(status(1).cyclesMissed).toBeLessThanOrEqual(12);
    expect(sink.of(200).every((sample) => sample.quality === QUALITY.good)).toBe(true);
    Object.assign(plant.unit("line", 1), { answerMs: 10, fails: null });
    await clock.advance(31_000);
    expect(status(0)).toMatchObject({ linkState: "up", tagsGood: 2 });
  });

  test("is made anew when nobody behind it answers any more", async () => {
    const { clock, plant } = await start([fakeDevice(1)]);
    await clock.advance(10_000);
    Object.assign(plant.unit("host1"), { answerMs: 500, fails: "device.timeout" });
    await clock.advance(20_000);
    expect(plant.connects.length).toBeGreaterThan(1);
    expect(plant.open).toBe(1);
  });
});

describe("a manifest", () => {
  test("restarts only what changed and closes what is gone", async () => {
    const { clock, plant, fleet } = await start([fakeDevice(1), fakeDevice(2), fakeDevice(3)]);
    await clock.advance(5_000);
    const kept = fleet.devices()[0];
    const changed = fakeDevice(2, { tags: [fakeTag(250)] });
    const change = fleet.apply({ rev: 2, devices: [fakeDevice(1), changed, fakeDevice(4)] });
    await clock.advance(5_000);
    expect(await change).toEqual({ started: 2, stopped: 2, kept: 1 });
    expect(fleet.devices()[0]).toBe(kept!);
    expect(plant.connects.filter((connect) => connect.host === "host1").length).toBe(1);
    expect(plant.unit("host2").reads.at(-1)?.ids).toEqual([250]);
    expect(plant.open).toBe(3);
  });

  test("a wrong setting or an unknown driver takes one device out of service, with the cause", async () => {
    const wrong = fakeDevice(1, { settings: { hst: "x" } });
    const unknown = fakeDevice(2, { driver: "telepathy" });
    const { clock, sink, status } = await start([wrong, unknown, fakeDevice(3)]);
    await clock.advance(25_000);
    for (const n of [0, 1])
      expect(status(n)).toMatchObject({ linkState: "down", code: "setting.wrong", tagsBad: 2 });
    expect(status(1).reason).toContain('No driver is called "telepathy"');
    expect(status(2).linkState).toBe("up");
    expect(sink.last(100)?.quality).toBe(QUALITY["bad.settingWrong"]);
    expect(sink.of(100).length).toBeGreaterThanOrEqual(2);
  });

  test("a wrong address spoils only its tag", async () => {
    const tags = [fakeTag(1, { address: "wrong" }), fakeTag(2)];
    const { clock, sink, status } = await start([fakeDevice(1, { tags })]);
    await clock.advance(5_000);
    expect(sink.last(1)?.quality).toBe(QUALITY["bad.addressIllegal"]);
    expect(sink.last(2)?.quality).toBe(QUALITY.good);
    expect(status(0)).toMatchObject({ linkState: "up", tagsGood: 1, tagsBad: 1 });
  });

  test("one device is restarted alone, and every present value can be told", async () => {
    const { clock, plant, fleet } = await start([fakeDevice(1), fakeDevice(2)]);
    await clock.advance(5_000);
    const [first, second] = fleet.devices();
    const told = fleet.snapshot()!.map(({ tagNo, timesMs }) => ({ tagNo, samples: timesMs.length }));
    expect(told).toEqual([100, 101, 200, 201].map((tagNo) => ({ tagNo, samples: 1 })));
    const restarted = fleet.restart(first!.device.deviceId);
    await clock.advance(5_000);
    await restarted;
    expect(fleet.devices()[0]).not.toBe(first!);
    expect(fleet.devices()[1]).toBe(second!);
    expect(plant.connects.filter(({ host }) => host === "host1")).toHaveLength(2);
    expect(plant.connects.filter(({ host }) => host === "host2")).toHaveLength(1);
    expect(fleet.restart("nobody")).rejects.toMatchObject({ code: "entity.missing" });
  });

  test("nothing runs after stop", async () => {
    const { clock, plant, fleet, sink } = await start([fakeDevice(1), fakeDevice(2)]);
    await clock.advance(5_000);
    const stopped = fleet.stop();
    await clock.advance(100);
    await stopped;
    const sent = sink.samples.length;
    await clock.advance(60_000);
    expect(sink.samples.length).toBe(sent);
    expect(plant.open).toBe(0);
    expect(clock.pending()).toBe(0);
  });
});
