import { generateKeyPairSync, sign } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "@millrace/contract/std/clock";
import type { JsonValue } from "@millrace/contract/vocabulary/value";
import type { Command } from "@millrace/contract/wire/command";
import { decodeEvents, encodeEvents, type GatewayEvent } from "@millrace/contract/wire/event";
import type { ManifestDevice, ManifestTag } from "@millrace/contract/wire/manifest";
import { commandText } from "@millrace/contract/wire/signature";
import { type CommandDesk, openCommandDesk } from "../src/commands/desk.ts";
import { commandVerifier } from "../src/commands/genuine.ts";
import { Holds } from "../src/commands/holds.ts";
import { performer } from "../src/commands/perform.ts";
import type { WritePermit } from "../src/commands/write.ts";
import type { driverOf } from "../src/driver/registry.ts";
import { Fleet } from "../src/supervisor/fleet.ts";
import { FakeSink } from "./fake-plant.ts";

export const HUB_ID = "01938f5e-7c1a-7b2e-9d30-0000000000aa";
export const GATEWAY_ID = "01938f5e-7c1a-7b2e-9d30-0000000000bb";
const idOf = (no: number) => `01938f5e-7c1a-7b2e-9d30-${String(no).padStart(12, "0")}`;

/** A hub's own key, and what it signs with it. */
export function hubKey() {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    publicKey: publicKey.export({ format: "jwk" }).x!,
    signed: (command: Command, gatewayId = GATEWAY_ID, hubId = HUB_ID) =>
      sign(null, Buffer.from(commandText({ hubId, gatewayId, command })), privateKey).toString("base64url"),
  };
}

export interface WriteRigInput {
  devices: ManifestDevice[];
  /** The hub's; one of its own unless a test signs by itself. */
  key?: ReturnType<typeof hubKey>;
  onEvent?: (event: GatewayEvent) => void;
  clock?: Clock;
  /** The hub's time; that of the clock unless a test says otherwise. */
  hubNowMs?: () => number | null;
  permit?: Partial<WritePermit>;
  driverOf?: typeof driverOf;
  folder?: string;
}

/** A gateway from the signed command to its devices: the desk with its record, the fleet and what it may write. */
export async function writeRig(input: WriteRigInput) {
  const { devices, key = hubKey(), clock = systemClock } = input;
  const hubNowMs = input.hubNowMs ?? (() => clock.nowMs());
  const folder = input.folder ?? (await mkdtemp(join(tmpdir(), "millrace-write-")));
  const events: GatewayEvent[] = [];
  const report = (event: GatewayEvent) => {
    events.push(...decodeEvents(encodeEvents([event])));
    input.onEvent?.(event);
  };
  const holds = Holds.open({ folder, clock, report, targetOf: (tagNo) => fleet.writeTarget(tagNo) });
  const fleet: Fleet = new Fleet({
    holds,
    clock,
    random: () => 0.5,
    sink: new FakeSink(clock),
    ...(input.driverOf === undefined ? {} : { driverOf: input.driverOf }),
  });
  holds.start();
  await fleet.apply({ rev: 1, devices });
  const permit: WritePermit = {
    lockedOut: () => false,
    armedBy: () => null,
    needsArming: false,
    ...input.permit,
  };
  const desk: CommandDesk = await openCommandDesk({
    folder,
    clock,
    hubNowMs,
    isGenuine: commandVerifier(() => ({
      hubId: HUB_ID,
      hubPublicKey: key.publicKey,
      gatewayId: GATEWAY_ID,
    })),
    perform: performer({
      clock,
      fleet,
      permit,
      holds,
      outbox: { stats: () => Promise.reject(new Error("not asked")) },
      logs: { setLevel: () => {} },
      onRestart: () => {},
    }),
    report,
  });
  let lastNo = desk.highestNo() ?? 0;
  const commandOf = (
    tagNo: number,
    value: JsonValue,
    expected: JsonValue,
    over: Partial<Command> = {},
  ): Command => {
    const commandNo = ++lastNo;
    const body = { kind: "writeTag" as const, tagNo, value, expected, by: ["Ada"] };
    return { commandId: idOf(commandNo), commandNo, expiresMs: (hubNowMs() ?? 0) + 10_000, body, ...over };
  };
  return {
    folder,
    fleet,
    holds,
    desk,
    events,
    commandOf,
    /** Sends a write as the hub does; its outcome, and the code and message it is told with. */
    async write(tagNo: number, value: JsonValue, expected: JsonValue, over: Partial<Command> = {}) {
      const command = commandOf(tagNo, value, expected, over);
      await desk.take(command, key.signed(command));
      const told = events.findLast(({ data }) => data.commandId === command.commandId);
      return { ...told?.data, message: told?.message ?? "" };
    },
    async [Symbol.asyncDispose]() {
      await holds.stop();
      await fleet.stop();
      desk.close();
      if (input.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A tag of a Modbus device that may be written. */
export const writable = (tagNo: number, more: Partial<ManifestTag>): ManifestTag => ({
  tagNo,
  name: `tag${tagNo}`,
  path: `plant/press/tag${tagNo}`,
  address: "holding:0",
  dataType: "uint16",
  unit: "",
  scanMs: 1_000,
  heartbeatMs: 10_000,
  deadband: 0,
  ...more,
});
