import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { EventRow } from "@millrace/contract/api/event";
import type { Device, Profile } from "@millrace/contract/api/plant";
import { isWhole, verdictText } from "../ledger/compare.ts";
import { Rig, until } from "../rig.ts";
import { type FaultRow, secondsText } from "../row.ts";

const MIB = 1_048_576;
const QUOTA_BYTES = 16 * MIB;
/** Beside the file lie its write-ahead log, cut back to 8 MiB, and the ballast. */
const BESIDE_BYTES = 8 * MIB + 16 * MIB;
const FLOOD_TAGS = 120;
/** The longest text one Modbus request carries. */
const FLOOD_REGISTERS = 125;

/** A device of noise, up to 600 kB/s: it fills the smallest buffer in less than a minute. */
async function addFlood(rig: Rig): Promise<void> {
  const { api } = rig.stack;
  const { id, siteId } = await rig.gateway();
  const profile = await api.post<Profile>("/profiles", {
    name: "Flood",
    driver: "modbus",
    settings: { timeoutMs: 10_000 },
    tags: Array.from({ length: FLOOD_TAGS }, (_, i) => ({
      name: `Flood ${i}`,
      address: `holding:${i * FLOOD_REGISTERS} length=${FLOOD_REGISTERS}`,
      dataType: "text",
      scanMs: 50,
    })),
  });
  await api.post<Device>("/devices", {
    name: "Flood",
    profileId: profile.id,
    gatewayId: id,
    siteId,
    settings: { host: "127.0.0.1", port: rig.ledgerPort, unit: 2 },
  });
}

function bytesOnDisk(folder: string): number {
  return readdirSync(folder)
    .filter((name) => name.startsWith("outbox"))
    .reduce((sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0);
}

/** F42, in the mode that drops: thinning leaves summaries, which the ledger cannot be held against value by value. */
export const overQuota: FaultRow = {
  row: "F42",
  injected:
    "hub away until the smallest buffer (16 MiB, drop-oldest) has been filled 1.2 times (long run: three times)",
  criterion:
    "never above quota, log and ballast together; every missing value is inside a gap; the gateway tells of it",
  lane: "long",
  async run(context) {
    const env = { MILLRACE_OUTBOX_BYTES_MAX: String(QUOTA_BYTES), MILLRACE_OUTBOX_MODE: "drop-oldest" };
    await using rig = await Rig.start({ gatewayEnv: env });
    const folder = rig.stack.gatewayFolder;
    await addFlood(rig);
    await Bun.sleep(1_500);
    const mark = rig.mark();
    rig.proxy.cut("reset", true);
    let most = 0;
    let lostSamples = 0;
    const target = context.times(0.2, 2) * QUOTA_BYTES;
    const sample = FLOOD_REGISTERS * 2 * 0.75;
    const fillMs = await until(
      context.times(150_000, 600_000),
      "the buffer overflows",
      async () => {
        const { outbox } = (await rig.local()).status;
        most = Math.max(most, bytesOnDisk(folder));
        lostSamples = outbox.samplesLost;
        return lostSamples * sample > target;
      },
      100,
    );
    rig.proxy.heal();
    await rig.linkUp();
    const devices = await rig.stack.api.all<Device>("/devices");
    await rig.enable(devices.find(({ name }) => name === "Flood")!.id, false);
    await until(
      60_000,
      "the backlog is gone",
      async () => (await rig.local()).status.outbox.framesUnsent <= 4,
    );
    const verdict = await rig.verdict(mark);
    const events = await rig.stack.api.get<{ items: EventRow[] }>("/events?limit=200");
    const told = events.items.filter(({ code }) => code.startsWith("buffer.")).map(({ code }) => code);
    const within = most <= QUOTA_BYTES + BESIDE_BYTES;
    return {
      measured: `${lostSamples} samples dropped in ${secondsText(fillMs)}, at most ${(most / MIB).toFixed(1)} MiB on disk with log and ballast; events: ${[...new Set(told)].join(", ") || "none"}; ${verdictText(verdict)}`,
      ok: isWhole(verdict) && within && verdict.inGaps > 0 && told.length > 0,
    };
  },
};
