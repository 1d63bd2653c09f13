import { describe, expect, test } from "bun:test";
import type { GatewayHealth } from "@millrace/contract/api/gateway-health";
import { GatewayHealth as HealthSchema } from "@millrace/contract/api/gateway-health";
import type { Problem } from "@millrace/contract/api/problem";
import { systemClock } from "@millrace/contract/std/clock";
import type { GatewayStatus } from "@millrace/contract/vocabulary/gateway";
import type { SparkplugStatus } from "@millrace/contract/vocabulary/sparkplug";
import { Value } from "@sinclair/typebox/value";
import { plant } from "../../../test/plant-hub.ts";
import { BUFFER_DAYS_MAX, bufferDaysLeft } from "./buffer-days.ts";
import { findingsOf } from "./findings.ts";

/** What the hub tells about how a gateway is. */

const NOBODY = "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55";

describe("days of buffer left", () => {
  for (const [what, room, perDay, days] of [
    ["room over rate", 10_000, 1_000, 10],
    ["rounded down to a tenth", 1_999, 1_000, 1.9],
    ["no room", 0, 1_000, 0],
    ["no room and no rate", 0, 0, 0],
    ["nothing comes in: the longest time we tell", 10_000_000, 0, BUFFER_DAYS_MAX],
    ["the rate is not measured", 10_000, null, null],
    ["a gateway that does not tell its room", undefined, 1_000, null],
    ["an older gateway", undefined, undefined, null],
  ] as const)
    test(what, () => expect(bufferDaysLeft(room, perDay)).toBe(days));
});

function statusOf(deviceId: string, over: Partial<GatewayStatus> = {}): GatewayStatus {
  const nowMs = systemClock.nowMs() + 5_000;
  return {
    software: "millrace-gateway 0.1.0",
    runtime: "bun 1.4.5, linux x64",
    startedMs: nowMs - 60_000,
    nowMs,
    cpuShare: 0.07,
    memoryBytes: 90_000_000,
    diskFreeBytes: 12_000_000_000,
    diskBytes: 100_000_000_000,
    clockOffsetMs: 5_000,
    clockQuality: "ntp",
    manifestRev: 1,
    log: { level: "warning", untilMs: null, sent: 3, suppressed: 2 },
    local: { commissioningUntilMs: nowMs + 60_000, lockedOut: true, signInLockedUntilMs: null },
    outbox: {
      framesUnsent: 4,
      samplesUnsent: 2_000,
      bytesUnsent: 8_192,
      bytesUsed: 1_048_576,
      bytesQuota: 1_073_741_824,
      oldestUnsentMs: nowMs - 900,
      samplesLost: 0,
      durable: true,
      bytesRoom: 500_000_000,
      bytesPerDay: 1_000_000_000,
    },
    devices: [
      {
        deviceId,
        linkState: "waiting",
        sinceMs: nowMs - 9_000,
        code: "link.refused",
        reason: "10.0.0.1:502 refused the connection 3 times; next try in 4 s.",
        lastGoodMs: null,
        cycles: 10,
        cyclesMissed: 190,
        requests: 3,
        errors: 3,
        roundTripMs: null,
        tagsGood: 0,
        tagsBad: 12,
      },
    ],
    ...over,
  };
}

async function until<T>(ask: () => Promise<T>, good: (found: T) => boolean): Promise<T> {
  for (let tries = 0; tries < 50; tries++) {
    const found = await ask();
    if (good(found)) return found;
    await systemClock.sleep(100);
  }
  throw new Error("it did not come to that");
}

test("a report becomes health with names, causes, days of buffer and what to do", async () => {
  await using p = await plant();
  const gateway = await p.enrolled("A");
  const ask = async () =>
    (await p.hub.call<GatewayHealth>("GET", `/api/v1/gateways/${gateway.id}/health`)).body;
  {
    using fake = await p.connected(gateway);
    fake.say({ type: "status", status: statusOf(gateway.deviceId) });
    const health = await until(ask, ({ reportedAt }) => reportedAt !== null);
    expect([...Value.Errors(HealthSchema, health)]).toEqual([]);
    expect(health).toMatchObject({
      name: "A",
      link: { linkState: "up" },
      versions: {
        hub: "millrace-hub 0.1.0",
        gateway: "millrace-gateway 0.1.0",
        runtime: "bun 1.4.5, linux x64",
      },
      machine: { cpuShare: 0.07, diskBytes: 100_000_000_000, temperatureC: null },
      buffer: { samplesUnsent: 2_000, daysLeft: 0.5, mode: null },
      clock: { quality: "ntp", offsetMs: 5_000 },
      manifest: { wanted: 1, running: 1, error: null, held: null },
      log: { level: "warning", until: null, sent: 3, suppressed: 2 },
      local: { lockedOut: true, signInLockedUntil: null },
      cycles: 10,
      cyclesMissed: 190,
      devices: [
        { name: "A", cause: expect.stringContaining("refused the connection"), code: "link.refused" },
      ],
    });
    expect(health.devices[0]!.nextStep).not.toBe("");
    expect(health.manifest.wantedSha256).toMatch(/^[0-9a-f]{64}$/);
    // By the hub's time, whatever the gateway's clock says.
    expect(Math.abs(Date.parse(health.reportedAt!) - systemClock.nowMs())).toBeLessThan(4_000);
    const leftMs = Date.parse(health.local!.commissioningUntil!) - systemClock.nowMs();
    expect(Math.abs(leftMs - 60_000)).toBeLessThan(4_000);
    expect(health.findings.map(({ code }) => code)).toEqual([
      "device.lost",
      "buffer.short",
      "clock.off",
      "commissioning.on",
      "lockout.on",
    ]);
  }
  const away = await until(ask, ({ link }) => link.linkState === "down");
  expect(away.findings[0]).toMatchObject({ code: "link.down", severity: "error" });
  expect(away.buffer?.samplesUnsent).toBe(2_000);
});

test("a gateway nobody ever saw has nulls, one of an older version has what it told, an unknown one is missing", async () => {
  await using p = await plant();
  const gateway = await p.enrolled("A");
  const path = `/api/v1/gateways/${gateway.id}/health`;
  const never = (await p.hub.call<GatewayHealth>("GET", path)).body;
  expect(never).toMatchObject({ reportedAt: null, machine: null, buffer: null, log: null, devices: [] });
  expect(never.findings.map(({ code }) => code)).toEqual(["link.never"]);
  const { runtime, diskBytes, log, local, ...old } = statusOf(NOBODY);
  const { bytesRoom, bytesPerDay, ...outbox } = old.outbox;
  await p.hub.database.sql`UPDATE gateway SET health = ${{ ...old, outbox }}::jsonb`;
  const { status, body } = await p.hub.call<GatewayHealth>("GET", path);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    log: null,
    local: null,
    versions: { runtime: null },
    machine: { diskBytes: null },
  });
  expect(body.buffer).toMatchObject({ daysLeft: null, bytesRoom: null, bytesPerDay: null });
  expect(body.devices[0]!.name).toBeNull();
  const missing = await p.hub.call<Problem>("GET", `/api/v1/gateways/${NOBODY}/health`);
  expect([missing.status, missing.body.code]).toEqual([404, "entity.missing"]);
  expect((await p.hub.ask(path)).status).toBe(401);
});

describe("findings", () => {
  const good = {
    gatewayId: NOBODY,
    name: "A",
    enrolment: "enrolled",
    link: { linkState: "up", since: null, lastSeen: "2026-01-01T00:00:00.000Z", cloned: null },
    reportedAt: "2026-01-01T00:00:00.000Z",
    startedAt: null,
    versions: { hub: "", gateway: null, runtime: null },
    machine: { cpuShare: 0, memoryBytes: 0, diskFreeBytes: 50, diskBytes: 100, temperatureC: null },
    buffer: {
      framesUnsent: 0,
      samplesUnsent: 0,
      bytesUnsent: 0,
      bytesUsed: 0,
      bytesQuota: 1_000,
      oldestUnsent: null,
      samplesLost: 0,
      samplesThinned: 0,
      framesDead: 0,
      mode: null,
      durable: true,
      bytesRoom: null,
      bytesPerDay: null,
      daysLeft: 9,
    },
    clock: { quality: null, offsetMs: 2_000 },
    manifest: { wanted: 3, running: 3, wantedSha256: null, error: null, held: null },
    log: null,
    local: null,
    cycles: 1_000,
    cyclesMissed: 10,
    devices: [],
  } as const satisfies Omit<GatewayHealth, "findings">;
  const { buffer, machine, manifest } = good;
  const page = (over: Partial<NonNullable<GatewayHealth["local"]>> = {}) => ({
    commissioningUntil: null,
    lockedOut: false,
    signInLockedUntil: null,
    ...over,
  });
  const edgeNode = (over: Partial<SparkplugStatus>) =>
    ({ state: "online", code: "", reason: "", dropped: 0, ...over }) as SparkplugStatus;
  type Case = [string, Partial<Omit<GatewayHealth, "findings">>, string[]];
  const cases: Case[] = [
    ["all well", {}, []],
    ["two machines", { link: { ...good.link, cloned: "2026-01-01T00:00:00.000Z" } }, ["link.cloned"]],
    ["a key that counts no more", { enrolment: "revoked" }, ["link.revoked"]],
    ["away", { link: { ...good.link, linkState: "waiting" } }, ["link.down"]],
    ["nothing told yet", { buffer: null, machine: null }, []],
    ["a disk that refuses", { buffer: { ...buffer, durable: false } }, ["buffer.refused"]],
    ["less than a day", { buffer: { ...buffer, daysLeft: 0.9 } }, ["buffer.short"]],
    ["seven tenths wait", { buffer: { ...buffer, bytesUnsent: 700 } }, ["buffer.filling"]],
    ["samples lost", { buffer: { ...buffer, samplesLost: 1 } }, ["buffer.lost"]],
    ["a full disk", { machine: { ...machine, diskFreeBytes: 4 } }, ["disk.full"]],
    ["a disk of unknown size", { machine: { ...machine, diskFreeBytes: 0, diskBytes: 0 } }, []],
    ["a clock ahead", { clock: { quality: null, offsetMs: 2_001 } }, ["clock.off"]],
    ["a clock behind", { clock: { quality: null, offsetMs: -9_000 } }, ["clock.off"]],
    ["a manifest under way", { manifest: { ...manifest, wanted: 4 } }, ["manifest.behind"]],
    ["one refused", { manifest: { ...manifest, wanted: 4, error: "x" } }, ["manifest.refused"]],
    ["one held", { manifest: { ...manifest, running: 9, held: 9 } }, ["manifest.held"]],
    ["nothing switched at its own page", { local: page() }, []],
    [
      "somebody works there",
      { local: page({ commissioningUntil: "2026-01-01T00:30:00.000Z" }) },
      ["commissioning.on"],
    ],
    ["writes locked out", { local: page({ lockedOut: true }) }, ["lockout.on"]],
    ["an edge node that is online", { sparkplug: edgeNode({}) }, []],
    ["one that still connects", { sparkplug: edgeNode({ state: "connecting" }) }, []],
    [
      "one that cannot",
      { sparkplug: edgeNode({ state: "connecting", code: "link.refused" }) },
      ["sparkplug.away"],
    ],
    ["one that is wrong", { sparkplug: edgeNode({ state: "stopped" }) }, ["sparkplug.away"]],
    ["one whose host is away", { sparkplug: edgeNode({ state: "waiting" }) }, ["sparkplug.waiting"]],
    ["one that lost changes", { sparkplug: edgeNode({ dropped: 1 }) }, ["sparkplug.dropped"]],
    ["wrong PINs", { local: page({ signInLockedUntil: "2026-01-01T00:15:00.000Z" }) }, ["local.locked"]],
    ["missed cycles", { cyclesMissed: 100 }, ["cycles.missed"]],
    ["too few cycles to judge", { cycles: 5, cyclesMissed: 90 }, []],
    [
      "errors stand before warnings",
      { clock: { quality: null, offsetMs: 9_000 }, link: { ...good.link, linkState: "down" } },
      ["link.down", "clock.off"],
    ],
  ];
  for (const [what, over, codes] of cases)
    test(what, () => {
      const found = findingsOf({ ...good, ...over });
      expect(found.map(({ code }) => code)).toEqual(codes);
      for (const { message, nextStep } of found) expect(message !== "" && nextStep !== "").toBe(true);
    });

  test("of a cut line with many devices some are named and the rest counted", () => {
    const lost = (n: number) => ({
      deviceId: NOBODY,
      name: `Press ${n}`,
      linkState: "down" as const,
      since: "2026-01-01T00:00:00.000Z",
      code: "link.lost",
      cause: "No answer.",
      nextStep: "Look.",
      lastGood: null,
      cycles: 0,
      cyclesMissed: 1_000,
      requests: 0,
      errors: 0,
      roundTripMs: null,
      tagsGood: 0,
      tagsBad: 1,
    });
    const found = findingsOf({
      ...good,
      cyclesMissed: 9_000,
      devices: Array.from({ length: 9 }, (_, n) => lost(n)),
    });
    expect(found).toHaveLength(6);
    expect(found.at(-1)!.message).toBe("4 more devices are not read.");
  });
});
