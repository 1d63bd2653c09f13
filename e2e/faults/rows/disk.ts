import { appendFileSync, mkdirSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { startProgram } from "../../stack/child.ts";
import { freePort } from "../../stack/free-port.ts";
import { isWhole, readLedger, type Verdict, verdictText } from "../ledger/compare.ts";
import {
  commitsOfLog,
  copyGateway,
  cutLog,
  databaseOf,
  flipInBody,
  overwrite,
  settle,
  tearLastCommit,
  valuesIn,
} from "../outbox-file.ts";
import { Rig, UNSEALED_MS_MAX, until } from "../rig.ts";
import { type FaultContext, type FaultRow, percentile, secondsText } from "../row.ts";

const START_MS_MAX = 10_000;
const PAGE_BYTES = 4_096;

/** A state of the gateway's disk as a power cut may leave it, and the newest value served before it was taken. */
interface Image {
  folder: string;
  value: number;
  wallMs: number;
}

/** The process stands still while its files are copied: everything flushed is there, the transaction in work is torn. */
async function takeImage(rig: Rig, folder: string, context: FaultContext): Promise<Image> {
  const { pid } = rig.stack.gateway;
  process.kill(pid, "SIGSTOP");
  try {
    const wallMs = Date.now();
    copyGateway(rig.stack.gatewayFolder, folder);
    tearLastCommit(folder, context.random);
    return { folder, value: rig.mark(), wallMs };
  } finally {
    process.kill(pid, "SIGCONT");
  }
}

/** Starts a real gateway on the image, without a hub; returns how long it took. */
async function openImage({ folder }: Image): Promise<number> {
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

/** Time between the newest value that is whole up to it in the image, and the moment the image was taken. */
function lossOf(rig: Rig, image: Image, firstValue: number): { holes: number; lossMs: number } {
  const sealed = new Set(valuesIn(image.folder, rig.tag.tagNo));
  const served = readLedger(rig.ledgerFile).filter(
    ({ value }) => value >= firstValue && value <= image.value && sealed.size > 0,
  );
  const newest = Math.max(0, ...served.filter(({ value }) => sealed.has(value)).map(({ value }) => value));
  const holes = served.filter(({ value }) => value < newest && !sealed.has(value)).length;
  const firstMissing = served.find(({ value }) => value > newest);
  return { holes, lossMs: firstMissing ? image.wallMs - firstMissing.wallMs : 0 };
}

/** F04: on the level of files. A disk that forgets flushed writes is not part of it. */
export const powerCut: FaultRow = {
  row: "F04",
  injected:
    "disk images of the running gateway, the transaction that was being written torn; each opened by a real gateway",
  criterion: "each opens within 10 s; no hole; at most two seals and a scan missing at the end",
  lane: "work",
  async run(context) {
    const rig = await context.rig();
    const count = context.times(3, 200);
    const worst = { holes: 0, lossMs: 0, openMs: 0 };
    await rig.load(true);
    await Bun.sleep(1_500);
    for (let i = 0; i < count; i++) {
      const first = rig.mark();
      await Bun.sleep(700 + context.random() * 600);
      const image = await takeImage(rig, join(rig.folder, `image-${i}`), context);
      worst.openMs = Math.max(worst.openMs, await openImage(image));
      // The first values of the stretch may have been read before the one before was torn away.
      const { holes, lossMs } = lossOf(rig, image, first + 1);
      worst.holes += holes;
      worst.lossMs = Math.max(worst.lossMs, lossMs);
      rmSync(image.folder, { recursive: true, force: true });
      await Bun.sleep(300);
    }
    await rig.load(false);
    return {
      measured: `${count} images: opened within ${secondsText(worst.openMs)}, ${worst.holes} holes, newest missing value ${worst.lossMs} ms old at most`,
      ok: worst.openMs <= START_MS_MAX && worst.holes === 0 && worst.lossMs <= UNSEALED_MS_MAX + 250,
    };
  },
};

/** One way to damage a stopped gateway's buffer; returns how many of the ledger's values it hit, if that is known. */
type Damage = (folder: string, tagNo: number, random: () => number) => number | null;

const DAMAGES: Record<string, Damage> = {
  "bit flip in a body": (folder, tagNo) => flipInBody(folder, tagNo),
  "page of noise": (folder, _tagNo, random) => {
    settle(folder);
    const pages = Bun.file(databaseOf(folder)).size / PAGE_BYTES;
    const at = 1 + Math.floor(random() * (pages - 1));
    overwrite(databaseOf(folder), at * PAGE_BYTES, crypto.getRandomValues(new Uint8Array(PAGE_BYTES)));
    return null;
  },
  "half of the log cut off": (folder) => {
    const ends = commitsOfLog(folder);
    if (ends.length > 0) cutLog(folder, ends[Math.floor(ends.length / 2)]! + 1_000);
    return null;
  },
  "file of 0 bytes": (folder) => {
    truncateSync(databaseOf(folder), 0);
    rmSync(`${databaseOf(folder)}-wal`, { force: true });
    return null;
  },
};

interface Damaged {
  startMs: number;
  hit: number | null;
  gaps: number;
  verdict: Verdict;
}

async function damageOnce(rig: Rig, damage: Damage, random: () => number): Promise<Damaged> {
  await rig.linkUp();
  await rig.verdict(rig.mark());
  const mark = rig.mark();
  const before = await gapsAtHub(rig);
  rig.proxy.cut("reset", true);
  await Bun.sleep(2_500);
  await rig.killGateway();
  const hit = damage(rig.stack.gatewayFolder, rig.tag.tagNo, random);
  const startMs = await rig.startGateway();
  rig.proxy.heal();
  await rig.linkUp();
  const verdict = await rig.verdict(mark, 6_000);
  return { startMs, hit, verdict, gaps: (await gapsAtHub(rig)) - before };
}

async function gapsAtHub(rig: Rig): Promise<number> {
  const rows: { n: number }[] = await rig.sql`SELECT count(*)::int AS n FROM gap`;
  return rows[0]!.n;
}

/** F12 */
export const damagedBuffer: FaultRow = {
  row: "F12",
  injected:
    "a stopped gateway's buffer with 2.5 s of backlog: bit flip, page of noise, log cut in half, empty file",
  criterion:
    "polling again within 10 s; a flip costs its frame alone; what else is lost is a gap (a cut log reads as an older whole state and leaves none)",
  lane: "work",
  async run(context) {
    const rig = await context.rig();
    const texts: string[] = [];
    let ok = true;
    for (const [name, damage] of Object.entries(DAMAGES)) {
      const { startMs, hit, gaps, verdict } = await damageOnce(rig, damage, context.random);
      const { lost, inGaps, doubled, invented, disordered } = verdict;
      const named = lost + inGaps === 0 || gaps > 0 || name.includes("log");
      const bounded = hit === null || lost + inGaps <= hit;
      ok &&= startMs <= START_MS_MAX && doubled + invented + disordered === 0 && named && bounded;
      texts.push(`${name}: ${secondsText(startMs)}, ${lost + inGaps} values lost, ${gaps} gaps`);
    }
    return { measured: texts.join("; "), ok };
  },
};

const TMPFS_MIB = 64;

/** F10: another program takes the last byte. */
export const diskFull: FaultRow = {
  row: "F10",
  injected: `the gateway's disk (${TMPFS_MIB} MiB in memory) is filled by another program while the hub is away`,
  criterion: "stored on disk again within 10 s; all values at the hub once or in a gap",
  lane: "work",
  async run(context) {
    if (process.getuid?.() !== 0)
      return { measured: "needs root to mount a small disk", ok: false, skipped: true };
    let mounted = "";
    const prepare = (folder: string) => {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const { exitCode } = Bun.spawnSync([
        "mount",
        "-t",
        "tmpfs",
        "-o",
        `size=${TMPFS_MIB}m`,
        "tmpfs",
        folder,
      ]);
      if (exitCode === 0) mounted = folder;
    };
    const rig = await Rig.start({ prepare });
    try {
      if (mounted === "")
        return { measured: "this system does not let us mount a small disk", ok: false, skipped: true };
      return await fill(rig, mounted, context);
    } finally {
      await rig.stack.gateway.stop();
      if (mounted !== "") Bun.spawnSync(["umount", "-l", mounted]);
      await rig.stop();
    }
  },
};

/** Writes until there is no byte left, whoever else writes meanwhile. */
function takeAll(path: string): void {
  const chunk = Buffer.alloc(256 * 1024);
  for (let bytes = chunk.length; bytes >= 512; ) {
    try {
      appendFileSync(path, chunk.subarray(0, bytes));
    } catch {
      bytes /= 2;
    }
  }
}

async function fill(rig: Rig, folder: string, context: FaultContext) {
  const mark = rig.mark();
  await rig.load(true);
  await Bun.sleep(1_000);
  rig.proxy.cut("reset", true);
  const filler = join(folder, "filler");
  takeAll(filler);
  const refusedMs: number[] = [];
  let sinceMs: number | null = null;
  const endMs = performance.now() + context.times(10_000, 60_000);
  while (performance.now() < endMs) {
    const { durable } = (await rig.local()).status.outbox;
    if (!durable) sinceMs ??= performance.now();
    else if (sinceMs !== null) {
      refusedMs.push(performance.now() - sinceMs);
      sinceMs = null;
    }
    await Bun.sleep(100);
  }
  if (sinceMs !== null) refusedMs.push(performance.now() - sinceMs);
  const { durable } = (await rig.local()).status.outbox;
  rmSync(filler);
  await rig.load(false);
  rig.proxy.heal();
  await rig.linkUp();
  await until(20_000, "the disk takes data", async () => (await rig.local()).status.outbox.durable);
  const verdict = await rig.verdict(mark);
  const longestMs = percentile(refusedMs, 1);
  return {
    measured: `refused for ${secondsText(longestMs)} at most, ${durable ? "stored" : "not stored"} at the end; ${verdictText(verdict)}`,
    ok: isWhole(verdict) && durable && longestMs <= 10_000,
  };
}
