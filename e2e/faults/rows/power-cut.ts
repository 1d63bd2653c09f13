import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startProgram } from "../../stack/child.ts";
import { freePort } from "../../stack/free-port.ts";
import {
  compileRecorder,
  type DiskImage,
  type DiskNote,
  imageAfterCut,
  readImage,
  readNotes,
  writeImage,
} from "../flush-record.ts";
import { readLedger } from "../ledger/compare.ts";
import { sentMarks, valuesIn } from "../outbox-file.ts";
import { type Rig, UNSEALED_MS_MAX } from "../rig.ts";
import { type FaultRow, secondsText } from "../row.ts";

const START_MS_MAX = 10_000;
/** The first values of a recording may have been read before it began. */
const LEAD_MS = 1_000;

interface Recording {
  base: DiskImage;
  notes: DiskNote[];
  fromMs: number;
  /** All notes in order give the files as they lie there: nothing was written past the recorder. */
  isComplete: boolean;
}

/** Runs the gateway under the recorder for a while, under load. */
async function recordDisk(rig: Rig, recorder: string, scratch: string, ms: number): Promise<Recording> {
  const env = rig.stack.options.gatewayEnv!;
  const folder = rig.stack.gatewayFolder;
  const file = join(scratch, "record");
  await rig.stopGateway();
  const base = readImage(folder);
  Object.assign(env, { LD_PRELOAD: recorder, FAULT_FOLDER: folder, FAULT_RECORD: file });
  await rig.startGateway();
  await rig.linkUp();
  const fromMs = Date.now() + LEAD_MS;
  await rig.load(true);
  await Bun.sleep(LEAD_MS + ms);
  await rig.load(false);
  await rig.stopGateway();
  for (const name of ["LD_PRELOAD", "FAULT_FOLDER", "FAULT_RECORD"]) delete env[name];
  const notes = readNotes(file, folder);
  const all = imageAfterCut(base, notes, notes.length, () => 0);
  const found = readImage(folder);
  const isComplete = [...found].every(([name, bytes]) => all.get(name)?.equals(bytes));
  await rig.startGateway();
  return { base, notes, fromMs, isComplete };
}

/** Starts a real gateway on the image, without a hub; returns how long it took. */
async function openImage(folder: string): Promise<number> {
  const startedMs = performance.now();
  const gateway = startProgram("image", "gateway/src/main.ts", {
    env: {
      MILLRACE_DATA: folder,
      MILLRACE_LOG_FORMAT: "json",
      MILLRACE_HUB_URL: "http://127.0.0.1:9",
      MILLRACE_LOCAL_PORT: String(freePort()),
    },
  });
  await gateway.event("gateway.ready");
  const tookMs = performance.now() - startedMs;
  await gateway.kill();
  return tookMs;
}

/** Time between the cut and the oldest value served after the newest that is there; and what is missing before that. */
function lossOf(rig: Rig, folder: string, fromMs: number, cutMs: number): { holes: number; lossMs: number } {
  const sealed = new Set(valuesIn(folder, rig.tag.tagNo));
  const served = readLedger(rig.ledgerFile).filter(({ wallMs }) => wallMs >= fromMs && wallMs <= cutMs);
  const newest = Math.max(0, ...served.filter(({ value }) => sealed.has(value)).map(({ value }) => value));
  const holes = served.filter(({ value }) => value < newest && !sealed.has(value)).length;
  const firstMissing = served.find(({ value }) => value > newest);
  return { holes, lossMs: firstMissing ? cutMs - firstMissing.wallMs : 0 };
}

/** What the hub got of one stream, and when. */
interface Got {
  epoch: number;
  stream: string;
  last: number;
  atMs: number;
}

/** Read at once after the recording: half a minute later frames leave the journal, and with them when they came. */
async function gotByHub(rig: Rig): Promise<Got[]> {
  return await rig.sql`
    SELECT j.epoch::int AS epoch, j.lane || '/' || j.seg AS stream, j.last::int AS last,
      (extract(epoch FROM j.received_at) * 1000)::float8 AS "atMs"
    FROM journal j JOIN gateway g USING (gateway_no) WHERE g.id = ${rig.tag.gatewayId}::uuid`;
}

/** Streams of which the hub had got more, before the cut, than the image knows to have sent: it would use numbers twice. */
function forgotten(got: readonly Got[], folder: string, cutMs: number): number {
  const { epoch, sent } = sentMarks(folder);
  const before = got.filter((frame) => frame.epoch === epoch && frame.atMs < cutMs);
  return new Set(
    before.filter(({ stream, last }) => last > (sent.get(stream) ?? 0)).map(({ stream }) => stream),
  ).size;
}

/** F04 */
export const powerCut: FaultRow = {
  row: "F04",
  injected:
    "the gateway's disk as a power cut may leave it, at random moments: all it flushed, and of the writes since then some whole, some torn between sectors, some not at all; each opened by a real gateway",
  criterion:
    "each opens within 10 s; no hole; at most two seals and a scan missing at the end; nothing the hub had got is forgotten",
  lane: "work",
  async run(context) {
    const rig = await context.rig();
    const scratch = mkdtempSync(join(tmpdir(), "millrace-cut-"));
    try {
      const recorder = compileRecorder(scratch);
      if (recorder === null) return { measured: "needs a C compiler", ok: false, skipped: true };
      const { base, notes, fromMs, isComplete } = await recordDisk(
        rig,
        recorder,
        scratch,
        context.times(4_000, 20_000),
      );
      const got = await gotByHub(rig);
      const count = context.times(5, 200);
      const first = notes.findIndex(({ wallMs }) => wallMs >= fromMs);
      const worst = { holes: 0, lossMs: 0, openMs: 0, forgotten: 0 };
      for (let i = 0; i < count; i++) {
        const cut = first + Math.floor(context.random() * (notes.length - first));
        const cutMs = notes[cut]!.wallMs;
        const folder = join(scratch, `image-${i}`);
        writeImage(imageAfterCut(base, notes, cut, context.random), folder);
        worst.openMs = Math.max(worst.openMs, await openImage(folder));
        const { holes, lossMs } = lossOf(rig, folder, fromMs, cutMs);
        worst.holes += holes;
        worst.lossMs = Math.max(worst.lossMs, lossMs);
        worst.forgotten += forgotten(got, folder, cutMs);
        rmSync(folder, { recursive: true, force: true });
        if (i % 20 === 19) context.say(`${i + 1} images`);
      }
      const flushes = notes.filter(({ kind }) => kind === "flush").length;
      return {
        measured: `${count} images out of ${notes.length} changes with ${flushes} flushes${isComplete ? "" : " (NOT all seen)"}: opened within ${secondsText(worst.openMs)}, ${worst.holes} holes, newest missing value ${worst.lossMs} ms old at most, ${worst.forgotten} streams forgotten`,
        ok:
          isComplete &&
          worst.openMs <= START_MS_MAX &&
          worst.holes === 0 &&
          worst.lossMs <= UNSEALED_MS_MAX + 250 &&
          worst.forgotten === 0,
      };
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  },
};
