import { expect, test } from "bun:test";
import type { OutboxStatus } from "@millrace/contract/vocabulary/gateway";
import type { CommandBody } from "@millrace/contract/wire/command";
import { FakeClock } from "../../test/fake-clock.ts";
import { NO_HOLDS } from "../../test/no-holds.ts";
import { type PerformDeps, performer, RESTART_AFTER_MS } from "./perform.ts";

const DEVICE = "00000000-0000-7000-8000-0000000000cc";

function rig(durable = true) {
  const clock = new FakeClock();
  const did: unknown[] = [];
  const status: OutboxStatus = {
    framesUnsent: 0,
    samplesUnsent: 0,
    bytesUnsent: 0,
    bytesUsed: 0,
    bytesQuota: 0,
    oldestUnsentMs: null,
    samplesLost: 0,
    durable,
  };
  const deps: PerformDeps = {
    clock,
    fleet: { restart: async (deviceId) => void did.push(["device", deviceId]), writeTarget: () => null },
    holds: NO_HOLDS,
    permit: { lockedOut: () => false, armedBy: () => null, needsArming: false },
    outbox: { stats: async () => status },
    logs: { setLevel: (level, minutes) => void did.push(["level", level, minutes]) },
    onRestart: () => void did.push(["restart"]),
  };
  return {
    clock,
    did,
    perform: (body: CommandBody) => performer(deps)(body, { commandId: DEVICE, isLate: () => false }),
  };
}

test("a device and a level are done at once", async () => {
  const { did, perform } = rig();
  await perform({ kind: "restartDevice", deviceId: DEVICE });
  await perform({ kind: "setLogLevel", level: "debug", minutes: 5 });
  expect(did).toEqual([
    ["device", DEVICE],
    ["level", "debug", 5],
  ]);
});

test("the gateway ends a moment after its outcome was told, and once", async () => {
  const { clock, did, perform } = rig();
  const { afterwards } = await perform({ kind: "restartGateway" });
  await clock.advance(60_000);
  expect(did).toEqual([]);
  afterwards?.();
  await clock.advance(RESTART_AFTER_MS - 1);
  expect(did).toEqual([]);
  await clock.advance(60_000);
  expect(did).toEqual([["restart"]]);
});

test("a gateway that holds samples in memory only is not restarted: they would be lost", async () => {
  const { clock, did, perform } = rig(false);
  await expect(perform({ kind: "restartGateway" })).rejects.toMatchObject({ code: "outbox.failed" });
  await clock.advance(60_000);
  expect(did).toEqual([]);
});
