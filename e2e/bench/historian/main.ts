// The historian under the mixed plant data set: bytes a sample, compaction beside ingest, trends cold and warm; beside
// plain rows with a primary key, filled with the same samples in the same run.
//   MILLRACE_BENCH_DAYS     days of the ten mixed tags (30)       MILLRACE_BENCH_YEAR  0 leaves out the year of one tag
//   MILLRACE_BENCH_SECONDS  length of each sustained load (120)   MILLRACE_BENCH_BASELINE_TAGS  tags in plain rows (4)
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Stack } from "../../stack/stack.ts";
import { databaseUrl } from "../database-url.ts";
import { memoryOf } from "../process-usage.ts";
import { type BenchRow, printRows } from "../report.ts";
import { zstd } from "../zstd.ts";
import { type Baseline, loadBaseline } from "./baseline.ts";
import { DAY_MS, MIXED, pastFrames } from "./data-set.ts";
import { feed } from "./feed.ts";
import { type Answered, answerRows, coldly, type QuerySet, questionsOf, warmly } from "./queries.ts";
import { compacted, measureSizes, type Sizes } from "./sizes.ts";
import { stepsOf } from "./steps.ts";
import { type Sustained, sustained } from "./sustained.ts";
import { addTagSet } from "./tag-set.ts";

const DAYS = Number(process.env.MILLRACE_BENCH_DAYS ?? 30);
const YEAR = process.env.MILLRACE_BENCH_YEAR !== "0";
const SECONDS = Number(process.env.MILLRACE_BENCH_SECONDS ?? 120);
const BASELINE_TAGS = Number(process.env.MILLRACE_BENCH_BASELINE_TAGS ?? 4);
const COMPACT_MS_MAX = 20 * 60_000;
const LATEST_TAGS = 200;

/** Days of the data set end with yesterday: the historian leaves the present day open. */
const TODAY = Math.floor(Date.now() / DAY_MS);

function sustainedRows(name: string, load: Sustained): BenchRow[] {
  return [
    { name: `${name}: acknowledged`, value: load.ackedPerSecond, unit: "samples/s" },
    { name: "  seal to ack, p99", value: load.ackP99Ms, unit: "ms" },
    {
      name: "  waiting for the compactor, last third",
      value: load.waitingLate,
      unit: "samples",
      ratio: load.waitingLate / Math.max(1, load.waitingEarly),
      baseline: "first third",
    },
    { name: "  oldest that waited", value: load.oldestMsMost / 1_000, unit: "s" },
    ...(["source", "hub", "postgres"] as const).map((program) => ({
      name: `  CPU of ${program}`,
      value: load.cpu[program],
      unit: "core",
    })),
    { name: "  memory of hub, peak", value: load.hubPeakBytes / 1e6, unit: "MB" },
  ];
}

function sizeRows(sizes: Sizes, samples: number, baseline: Baseline): BenchRow[] {
  const each = sizes.total / samples;
  return [
    {
      name: "bytes a sample on disk, everything included",
      value: each,
      unit: "bytes",
      ratio: each / baseline.bytesPerRow,
      baseline: "rows with primary key (tag, time)",
    },
    ...Object.entries(sizes.stores).map(([store, bytes]) => ({
      name: `  ${store}`,
      value: bytes / samples,
      unit: "bytes",
    })),
    ...Object.entries(sizes.habits).map(([habit, bytes]) => ({
      name: `  a ${habit} tag, raw and minutes`,
      value: bytes,
      unit: "bytes",
    })),
    { name: "rows with primary key", value: baseline.bytesPerRow, unit: "bytes" },
  ];
}

/** Waiting for hours and days to be quiet is no work: what counts is the time the steps took. */
function stepRows(steps: Awaited<ReturnType<typeof stepsOf>>, baseline: Baseline): BenchRow[] {
  const { journal, hour, day } = steps;
  const all = journal.samples / (journal.seconds + hour.seconds + day.seconds);
  return [
    {
      name: "  compacted, all steps one after the other",
      value: all,
      unit: "samples/s",
      ratio: all / baseline.rowsPerSecond,
      baseline: "COPY into rows with primary key",
    },
    ...Object.entries(steps).map(([step, { samples, seconds }]) => ({
      name: `    step ${step}`,
      value: samples / seconds,
      unit: "samples/s",
    })),
  ];
}

/** Fills the past, waits for the compactor, and measures what lies on disk. */
async function fill(stack: Stack, url: string) {
  const mixed = await addTagSet(stack, "Mixed", MIXED);
  const fromDay = TODAY - DAYS;
  const range = { fromDay, toDay: TODAY, epoch: mixed.identity.epoch, compression: zstd };
  const fed = await feed(stack.hubUrl, mixed.identity, pastFrames({ ...range, tags: mixed.tags }));
  await compacted(url, COMPACT_MS_MAX);
  const steps = await stepsOf(stack);
  const sizes = await measureSizes(url, mixed.tags, fed.samples / mixed.tags.length);
  return { mixed, fed, steps, sizes, fromDay };
}

async function fillYear(stack: Stack, url: string): Promise<number> {
  const year = await addTagSet(stack, "Year", ["decimal"]);
  const input = { tags: year.tags, fromDay: TODAY - 365, toDay: TODAY, epoch: year.identity.epoch };
  await feed(stack.hubUrl, year.identity, pastFrames({ ...input, compression: zstd }));
  await compacted(url, COMPACT_MS_MAX);
  return year.tags[0]!.tagNo;
}

export async function benchHistorian(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-historian-"));
  try {
    await using stack = await Stack.start({
      folder: join(folder, "data"),
      hubEnv: { MILLRACE_DAY_QUIET_S: "5" },
    });
    await stack.gateway.stop();
    const url = databaseUrl(stack);
    const { mixed, fed, steps, sizes, fromDay } = await fill(stack, url);
    const yearTagNo = YEAR ? await fillYear(stack, url) : null;
    const plainTags = mixed.tags.filter(({ habit }) => habit !== "text").slice(0, BASELINE_TAGS);
    await using baseline = await loadBaseline(url, plainTags, fromDay, TODAY);
    const paced = await sustained(stack, folder, {
      name: "Paced",
      tags: 5_000,
      rate: 300_000,
      seconds: SECONDS,
    });
    const full = await sustained(stack, folder, { name: "Full", tags: 5_000, rate: 0, seconds: SECONDS });
    const tags = await stack.api.get<{ items: { tagNo: number }[] }>(`/tags?q=Paced&limit=${LATEST_TAGS}`);
    const set: QuerySet = {
      tagNos: plainTags.map(({ tagNo }) => tagNo),
      fromDay,
      toDay: TODAY,
      yearTagNo: yearTagNo ?? mixed.tags[0]!.tagNo,
      latestTagNos: tags.items.map(({ tagNo }) => tagNo),
    };
    await stack.hub.stop();
    await stack.startHub();
    const questions = questionsOf(stack.api, baseline, set);
    const cold = await coldly(questions);
    const answered: Answered[] = [];
    for (const [i, question] of questions.entries()) answered.push(await warmly(question, cold[i]!));
    return [
      { name: "mixed samples of the past, fed", value: fed.samples / fed.seconds, unit: "samples/s" },
      ...stepRows(steps, baseline),
      { name: "COPY into rows with primary key", value: baseline.rowsPerSecond, unit: "rows/s" },
      ...sizeRows(sizes, fed.samples, baseline),
      ...sustainedRows("300,000 samples/s asked", paced),
      ...sustainedRows("as fast as acknowledged", full),
      ...answered.flatMap(answerRows),
      {
        name: "memory of hub after the queries, peak",
        value: memoryOf(stack.hub.pid).peakBytes / 1e6,
        unit: "MB",
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) printRows("Historian", await benchHistorian());
