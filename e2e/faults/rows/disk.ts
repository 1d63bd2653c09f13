import { appendFileSync, mkdirSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { isWhole, type Verdict, verdictText } from "../ledger/compare.ts";
import { commitsOfLog, cutLog, databaseOf, flipInBody, overwrite, settle } from "../outbox-file.ts";
import { Rig, until } from "../rig.ts";
import { type FaultContext, type FaultRow, percentile, secondsText } from "../row.ts";

const START_MS_MAX = 10_000;
const PAGE_BYTES = 4_096;

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
