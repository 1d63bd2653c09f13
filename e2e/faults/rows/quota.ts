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
/** What a sample of noise takes on disk: its letters hold six bits each. */
const SAMPLE_BYTES = FLOOD_REGISTERS * 2 * 0.75;

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

/** Sets the machine's clock forth and back, so that a known number of events arises; each is one of lane E. */
class ClockSteps {
  count = 0;
  #stopped = false;
  readonly #work: Promise<void>;

  constructor(private readonly rig: Rig) {
    this.#work = this.#run();
  }

  async #run(): Promise<void> {
    // The gateway looks once a second.
    for (; !this.#stopped || this.count % 2 === 1; await Bun.sleep(3_000))
      this.rig.shiftClock(++this.count % 2 === 1 ? 10_000 : 0);
  }

  /** Ends with the clock right, and with the last step seen. */
  stop(): Promise<void> {
    this.#stopped = true;
    return this.#work;
  }
}

interface Filled {
  /** Most bytes of the buffer's files. */
  most: number;
  lost: number;
  tookMs: number;
  steps: number;
}

/** The hub is away, and the oldest is dropped until enough is gone. */
async function overfill(rig: Rig, lostBytesMin: number, msMax: number): Promise<Filled> {
  const folder = rig.stack.gatewayFolder;
  const filled: Filled = { most: 0, lost: 0, tookMs: 0, steps: 0 };
  const outbox = async () => {
    filled.most = Math.max(filled.most, bytesOnDisk(folder));
    return (await rig.local()).status.outbox;
  };
  const steps = new ClockSteps(rig);
  filled.tookMs = await until(msMax, "the buffer overflows", async () => {
    filled.lost = (await outbox()).samplesLost;
    return filled.lost * SAMPLE_BYTES > lostBytesMin;
  });
  await steps.stop();
  filled.steps = steps.count;
  return filled;
}

/** F42, in the mode that drops: thinning needs minutes of history, more than a flood leaves in the smallest buffer. */
export const overQuota: FaultRow = {
  row: "F42",
  injected:
    "hub away until the smallest buffer (16 MiB, drop-oldest) has been filled 1.2 times (long run: three times), the clock set forth and back meanwhile",
  criterion:
    "never above quota, log and ballast together; every missing value is inside a gap; the gateway tells of it, and of its events none is missing",
  lane: "long",
  async run(context) {
    const env = { MILLRACE_OUTBOX_BYTES_MAX: String(QUOTA_BYTES), MILLRACE_OUTBOX_MODE: "drop-oldest" };
    await using rig = await Rig.start({ gatewayEnv: env });
    await addFlood(rig);
    await Bun.sleep(1_500);
    const mark = rig.mark();
    rig.proxy.cut("reset", true);
    const lostBytesMin = context.times(0.2, 2) * QUOTA_BYTES;
    const { most, lost, tookMs, steps } = await overfill(rig, lostBytesMin, context.times(150_000, 600_000));
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
    const events = await rig.stack.api.all<EventRow>("/events?limit=200");
    const told = new Set(events.map(({ code }) => code).filter((code) => code.startsWith("buffer.")));
    const seen = events.filter(({ code }) => code === "clock.stepped").length;
    const within = most <= QUOTA_BYTES + BESIDE_BYTES;
    return {
      measured: `${lost} samples dropped in ${secondsText(tookMs)}; at most ${(most / MIB).toFixed(1)} MiB on disk with log and ballast; ${seen} of ${steps} clock events; ${[...told].join(", ") || "nothing told"}; ${verdictText(verdict)}`,
      ok: isWhole(verdict) && within && verdict.inGaps > 0 && told.has("buffer.overflowed") && seen === steps,
    };
  },
};
