import { expect, setDefaultTimeout, test } from "bun:test";
import { systemClock } from "@millrace/contract/std/clock";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import type { ManifestDevice } from "@millrace/contract/wire/manifest";
import { fleetRig, until } from "../../../test/fleet-rig.ts";
import { Line } from "../../driver/cuttable-line.ts";
import { opcuaPeer } from "./peer.ts";
import { sharedPeer } from "./simulator.ts";

// The whole way of a value that is told: server, session, supervisor, scan, sample.
setDefaultTimeout(40_000);

const device = (port: number, names: string[], settings: object = {}): ManifestDevice => ({
  deviceId: "0198c0de-0000-7000-8000-000000000001",
  name: "Press",
  path: "Plant/Press",
  driver: "opcua",
  settings: {
    endpoint: `opc.tcp://127.0.0.1:${port}`,
    security: "none-insecure",
    publishMs: 100,
    keepAliveMs: 500,
    ...settings,
  },
  tags: names.map((name, at) => ({
    tagNo: at + 1,
    name,
    path: `Plant/Press/${name}`,
    address: `nsu=urn:millrace:peer;s=${name}`,
    dataType: "float64",
    unit: "",
    scanMs: 100,
    heartbeatMs: 1_000,
    deadband: 0,
  })),
});

test.concurrent("changes are told without being asked for, heartbeats go on, the order of times is kept", async () => {
  await using peer = await opcuaPeer({ variables: 2 });
  await using it = fleetRig();
  await it.fleet.apply({ rev: 1, devices: [device(peer.port, ["v0", "v1"])] });
  await until(() => it.newest(1)?.value === 0 && it.newest(2)?.value === 1);
  peer.tell({ do: "set", node: "v0", value: 42 });
  await until(() => it.newest(1)?.value === 42);
  const before = it.samples.filter(({ tagNo }) => tagNo === 2).length;
  await until(() => it.samples.filter(({ tagNo }) => tagNo === 2).length >= before + 2);
  expect(it.newest(2)).toMatchObject({ value: 1, quality: QUALITY.good });
  for (const tagNo of [1, 2]) {
    const times = it.samples.filter((one) => one.tagNo === tagNo).map(({ timeMs }) => timeMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  }
  expect(it.fleet.statuses()[0]).toMatchObject({ linkState: "up", tagsGood: 2, tagsBad: 0 });
});

test.concurrent("5c.12 a server that falls silent with its connection open is no green light; it comes back by a new session", async () => {
  const line = await Line.to((await sharedPeer()).port);
  await using it = fleetRig();
  await it.fleet.apply({ rev: 1, devices: [device(line.port, ["Double"], { connectTimeoutMs: 500 })] });
  await until(() => it.newest(1)?.value === Math.PI);
  line.silence(true);
  await until(() => it.newest(1)?.value === null);
  expect(it.newest(1)!.quality).toBe(QUALITY["bad.deviceTimeout"]);
  expect(it.fleet.statuses()[0]!.linkState).not.toBe("up");
  line.silence(false);
  await until(() => it.newest(1)?.value === Math.PI);
  expect(it.fleet.statuses()[0]!.linkState).toBe("up");
  await it.fleet.stop();
  await line.close();
});

test.concurrent("a server that is killed and started anew is read again within 10 s", async () => {
  const first = await opcuaPeer({ variables: 1 });
  const { port } = first;
  await using it = fleetRig();
  await it.fleet.apply({ rev: 1, devices: [device(port, ["v0"])] });
  await until(() => it.newest(1)?.value === 0);
  await first.kill();
  await until(() => it.newest(1)?.value === null);
  await using _second = await opcuaPeer({ variables: 1, port, namespacesBefore: 2 });
  expect(await until(() => it.newest(1)?.value === 0)).toBeLessThan(10_000);
});

test.concurrent("a source 17 h behind is dated by the gateway, and marked", async () => {
  await using peer = await opcuaPeer({ variables: 1, clockOffMs: -17 * 3_600_000 });
  await using it = fleetRig();
  await it.fleet.apply({ rev: 1, devices: [device(peer.port, ["v0"])] });
  await until(() => it.newest(1)?.value === 0);
  peer.tell({ do: "set", node: "v0", value: 5 });
  await until(() => it.newest(1)?.value === 5);
  const { quality, timeMs } = it.newest(1)!;
  expect(quality).toBe(QUALITY["uncertain.clock"]);
  expect(Math.abs(timeMs - systemClock.nowMs())).toBeLessThan(5_000);
  expect(it.fleet.statuses()[0]!.reason).toContain("17 h behind");
});
