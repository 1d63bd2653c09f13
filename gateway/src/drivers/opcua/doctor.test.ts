import { expect, setDefaultTimeout, test } from "bun:test";
import { systemClock } from "@millrace/contract/std/clock";
import { doctorRig, patient } from "../../../test/doctor-rig.ts";
import { Line } from "../../driver/cuttable-line.ts";
import { opcuaPeer } from "./peer.ts";

// A server of another project with its own limits, behind a line that can be silenced.
setDefaultTimeout(40_000);

const device = (port: number, names: readonly string[], more: object = {}) =>
  patient(
    "opcua",
    {
      endpoint: `opc.tcp://127.0.0.1:${port}`,
      security: "none-insecure",
      publishMs: 100,
      keepAliveMs: 500,
      connectTimeoutMs: 2_000,
      ...more,
    },
    names.map((name) => `nsu=urn:millrace:peer;s=${name}`),
    { dataType: "float64" },
  );

test.concurrent("a server whose clock is off, that does not know a node, and that is late with its news", async () => {
  await using peer = await opcuaPeer({ variables: 2, clockOffMs: -17 * 3_600_000 });
  await using line = await Line.to(peer.port);
  await using rig = await doctorRig([device(line.port, ["v0", "gone"], { keepAliveMs: 900 })]);
  const missing = await rig.finding("nodes.missing");
  expect(missing.words).toContain("1 of the nodes");
  const clock = rig.first().findings.find(({ kind }) => kind === "clock.off");
  expect(clock).toMatchObject({ level: "warn" });
  expect(clock!.words).toMatch(/17 h behind/);
  const publish = () => rig.first().findings.find(({ kind }) => kind === "publish.late");
  for (let round = 0; publish() === undefined && round < 5; round++) {
    line.silence(true);
    await systemClock.sleep(1_600);
    line.silence(false);
    await systemClock.sleep(200);
  }
  expect(publish()).toMatchObject({ level: "warn", setting: "publishMs" });
});

test.concurrent("a server that has no session left", async () => {
  await using peer = await opcuaPeer({ variables: 1, sessionsMax: 1, connectionsMax: 20 });
  await using holder = await doctorRig([device(peer.port, ["v0"])]);
  while (holder.fleet.statuses()[0]!.linkState !== "up") await systemClock.sleep(20);
  await using rig = await doctorRig([device(peer.port, ["v0"])]);
  const found = await rig.finding("link.sessions");
  expect(found).toMatchObject({ level: "fault", setting: "sessionTimeoutMs" });
  expect(holder.first().findings).toEqual([]);
});

test.concurrent("a certificate nobody trusted yet, and a server that falls silent", async () => {
  await using peer = await opcuaPeer({ variables: 1 });
  await using line = await Line.to(peer.port);
  await using strict = await doctorRig([device(line.port, ["v0"], { security: "sign" })]);
  const untrusted = await strict.finding("link.down");
  expect(untrusted.setting).toBe("serverFingerprint");
  await strict.fleet.stop();
  await using rig = await doctorRig([device(line.port, ["v0"])]);
  while (rig.fleet.statuses()[0]!.linkState !== "up") await systemClock.sleep(20);
  line.silence(true);
  while ((rig.first().reconnects ?? 0) === 0) await systemClock.sleep(20);
  line.silence(false);
  const silent = await rig.finding("connection.silent");
  expect(silent).toMatchObject({ level: "warn", setting: "keepAliveMs" });
});
