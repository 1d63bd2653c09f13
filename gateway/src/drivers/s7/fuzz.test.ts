import { expect, test } from "bun:test";
import type { S7Address } from "@millrace/contract/driver/s7/address";
import { decodeSettings } from "@millrace/contract/driver/settings";
import { AppError } from "@millrace/contract/error/app-error";
import { systemClock } from "@millrace/contract/std/clock";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import { chanceOf } from "../../../test/chance.ts";
import { HELD, hostileRun, readWell } from "../../../test/hostile-run.ts";
import { hostileCpu, KINDS, truth } from "../../../test/hostile-s7.ts";
import type { Point } from "../../driver/driver.ts";
import type { AnyDriver } from "../../driver/registry.ts";
import { s7 } from "./index.ts";
import { S7Simulator } from "./simulated-cpu.ts";

const SEED = Number(process.env.MILLRACE_FUZZ_SEED ?? 0x7300_0001);
/** More by `MILLRACE_FUZZ_REPLIES=1000000 bun test gateway/src/drivers/s7/fuzz.test.ts`. */
const REPLIES = Number(process.env.MILLRACE_FUZZ_REPLIES ?? 10_000);
const LINES = 20;

const CODES = [
  "device.timeout",
  "device.refused",
  "device.busy",
  "device.failed",
  "link.lost",
  "link.garbled",
  "link.refused",
  "link.unreachable",
];

interface Told {
  /** How often a reading, an outcome or a call ended in which way. */
  ends: Map<string, number>;
  /** What the CPU took over, as `OFFSET=VALUE`. */
  stored: Set<string>;
}

type S7Session = Awaited<ReturnType<typeof s7.create>>;

/** Writes one value nobody wrote before. What is done is in the CPU, and what is not done for sure is not. */
async function writeOne(session: S7Session, point: Point<S7Address>, value: number, { ends, stored }: Told) {
  const signal = new AbortController().signal;
  const [outcome] = await session.write!([{ ...point, value }], signal);
  const isStored = stored.has(`${point.address.start}=${value}`);
  if (outcome!.done) expect(isStored).toBe(true);
  else if (!outcome!.maybe) expect(isStored).toBe(false);
  const end = outcome!.done ? "written" : outcome!.maybe ? "maybe written" : "not written";
  ends.set(end, (ends.get(end) ?? 0) + 1);
}

/** Reads and writes through one session until `goOn` says stop; opens it again whenever it is lost. */
async function useAll(port: number, line: number, goOn: () => boolean, { ends, stored }: Told) {
  const chance = chanceOf(SEED ^ (line * 7_919));
  const settings = decodeSettings(s7, {
    host: "127.0.0.1",
    port,
    timeoutMs: 50,
    connectTimeoutMs: 200,
    illegalRetryMs: 100,
  });
  const note = (end: string) => ends.set(end, (ends.get(end) ?? 0) + 1);
  const session = await s7.create(settings, { clock: systemClock, onLost: () => {} });
  const signal = new AbortController().signal;
  let up = false;
  let writes = 0;
  while (goOn()) {
    // Never the same offset or count twice in a row, so that a mix-up of two answers shows; up to four requests at once.
    const offset = chance(30_000) * 2;
    const count = 1 + chance(chance(3) === 0 ? 400 : 12);
    const points = Array.from({ length: count }, (_, id) => ({
      id,
      address: s7.parseAddress(`DB1.DBW${offset + id * 2}`, "uint16", settings),
      dataType: "uint16" as const,
    }));
    try {
      if (!up) await session.connect(signal);
      up = true;
      if (chance(6) === 0) {
        const address = s7.parseAddress(
          `DB2.DBW${((writes++ * LINES + line) * 2) % 60_000}`,
          "uint16",
          settings,
        );
        await writeOne(session, { id: 0, address, dataType: "uint16" }, chance(0x1_0000), { ends, stored });
      }
      const readings = await session.read(points, signal);
      expect(readings).toHaveLength(points.length);
      for (const reading of readings) {
        const good = reading.quality === QUALITY.good;
        expect(reading.value).toBe(good ? truth(offset + reading.id * 2) : null);
        note(good ? "good" : "bad");
      }
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      expect(CODES).toContain(error.code);
      note(error.code);
      up = up && !error.code.startsWith("link.");
    }
  }
  await session.close();
}

test(
  `${REPLIES} malformed replies never become a wrong value or a wrong word of a write, and cost no memory`,
  async () => {
    const told = new Map<string, number>();
    const ends = new Map<string, number>();
    const stored = new Set<string>();
    const { server, port } = await hostileCpu(SEED, told, stored);
    await using healthy = await S7Simulator.start(systemClock);
    healthy.db(1).writeUInt16BE(HELD, 14);
    const met = ["good", "bad", "written", "maybe written", "not written", "device.timeout"];
    await hostileRun({
      replies: REPLIES,
      told,
      kinds: KINDS,
      ends,
      endsWanted: [...met, "link.lost", "link.garbled", "link.refused", "link.unreachable"],
      lines: (goOn) => {
        stored.clear();
        return Array.from({ length: LINES }, (_, line) => useAll(port, line, goOn, { ends, stored }));
      },
      neighbour: (goOn) => readWell(s7 as unknown as AnyDriver, healthy, "DB1.DBW14", goOn),
    });
    server.close();
  },
  Math.max(60_000, REPLIES),
);
