import { expect, test } from "bun:test";
import { systemClock } from "@millrace/contract/std/clock";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import type { ManifestDevice } from "@millrace/contract/wire/manifest";
import { fleetRig, until } from "../../../test/fleet-rig.ts";
import { snap7Peer } from "../../../test/snap7-peer.ts";
import { S7Simulator } from "./simulated-cpu.ts";

/** The whole way from the socket to the sample, as the gateway runs it: what a supervisor does with S7 sessions. */

const SCAN_MS = 200;
/** Slow enough that a busy machine is no missed cycle. */
const NEIGHBOUR_MS = 500;
/** What the issue promises for a CPU that is back. */
const RECOVERY_MS_MAX = 10_000;
/** Settings of a technician in a hurry: the default waits are the same, ten times as long. */
const QUICK = { timeoutMs: 200, connectTimeoutMs: 500 };

const device = (
  no: number,
  address: string,
  settings: Record<string, unknown>,
  scanMs = SCAN_MS,
): ManifestDevice => ({
  deviceId: `0198c0de-0000-7000-8000-00000000000${no}`,
  name: `CPU ${no}`,
  path: `Plant/CPU ${no}`,
  driver: "s7",
  settings: { ...QUICK, ...settings },
  tags: [
    {
      tagNo: no,
      name: "word",
      path: `Plant/CPU ${no}/word`,
      address,
      dataType: "uint16",
      unit: "",
      scanMs,
      heartbeatMs: scanMs,
      deadband: 0,
    },
  ],
});

test("5b.4 5b.8 a CPU that is killed, frozen, restarted and moved is back within 10 s, and its neighbour never misses a cycle", async () => {
  await using peer = await snap7Peer();
  await using healthy = await S7Simulator.start(systemClock);
  healthy.db(1).writeUInt16BE(4_711, 14);
  await using it = fleetRig();
  const beside = { host: "127.0.0.1", port: healthy.port, timeoutMs: 10_000 };
  const neighbour = device(2, "DB1.DBW14", beside, NEIGHBOUR_MS);
  const at = (host: string) => device(1, "DB1.DBW0", { host, port: peer.port });
  const isBack = () => until(() => it.value(1) === 32_769, RECOVERY_MS_MAX);
  await it.fleet.apply({ rev: 1, devices: [at("127.0.0.1"), neighbour] });
  await isBack();
  await until(() => it.value(2) === 4_711);
  const missedBefore = it.fleet.statuses()[1]!.cyclesMissed;
  const fromMs = systemClock.nowMs();

  await peer.kill();
  await until(() => it.value(1) === null);
  expect(it.quality(1)).toBe("bad.linkLost");
  expect(it.fleet.statuses()[0]!.linkState).not.toBe("up");
  // Long enough for tries that find nobody.
  await until(() => it.quality(1) === "bad.linkRefused");
  await peer.start();
  await isBack();

  peer.freeze(true);
  await until(() => it.value(1) === null);
  expect(it.quality(1)).toBe("bad.deviceTimeout");
  // The old connection is given up, and the new one gets no answer either.
  await until(() => it.fleet.statuses()[0]!.code === "link.unreachable");
  peer.freeze(false);
  await isBack();

  await peer.kill();
  await peer.start();
  await until(() => it.value(1) === null);
  await isBack();

  await peer.kill();
  await peer.start("127.0.0.2");
  await it.fleet.apply({ rev: 2, devices: [at("127.0.0.2"), neighbour] });
  it.samples.splice(0, it.samples.length, ...it.samples.filter(({ tagNo }) => tagNo === 2));
  await isBack();

  expect(it.fleet.statuses()[1]).toMatchObject({ linkState: "up", cyclesMissed: missedBefore, tagsGood: 1 });
  const others = it.samples.filter(({ tagNo, timeMs }) => tagNo === 2 && timeMs >= fromMs);
  expect(others.every(({ value, quality }) => value === 4_711 && quality === QUALITY.good)).toBe(true);
  const gapsMs = others.slice(1).map(({ timeMs }, index) => timeMs - others[index]!.timeMs);
  expect(Math.max(...gapsMs)).toBeLessThan(2 * NEIGHBOUR_MS);
  // One connection, opened once: nothing that happened beside it was felt.
  expect(healthy.connections).toBe(1);
}, 60_000);

test("5b.10 all devices of a CPU share one connection, and while it has none left it is asked now and then", async () => {
  await using cpu = await S7Simulator.start(systemClock);
  for (const no of [1, 2, 3]) cpu.db(1).writeUInt16BE(no * 1_000, no * 2);
  await using it = fleetRig();
  const devices = [1, 2, 3].map((no) =>
    device(no, `DB1.DBW${no * 2}`, { host: "127.0.0.1", port: cpu.port }),
  );
  const areAllBack = () => until(() => [1, 2, 3].every((no) => it.value(no) === no * 1_000));
  await it.fleet.apply({ rev: 1, devices });
  await areAllBack();
  expect([cpu.connections, cpu.socketsOpen]).toEqual([1, 1]);

  // It lost its power: it knows of connections that nobody has any more, and has no place for ours.
  cpu.slots = [];
  cpu.cut();
  await until(() => [1, 2, 3].every((no) => it.value(no) === null));
  await until(() => it.fleet.statuses()[0]!.code === "link.refused");
  expect(it.fleet.statuses()[0]!.reason).toContain("all its connections are taken");
  const before = cpu.connections;
  await systemClock.sleep(2_500);
  expect(cpu.connections - before).toBeLessThanOrEqual(4);
  expect(cpu.socketsOpen).toBeLessThanOrEqual(1);
  cpu.slots = null;
  expect(await areAllBack()).toBeLessThan(RECOVERY_MS_MAX);
  expect(cpu.socketsOpen).toBe(1);
}, 60_000);
