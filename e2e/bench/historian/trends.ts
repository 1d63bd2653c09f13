// Trends alone, over a history that is kept: fills the folder the first time, then asks as often as one likes, so that
// two states of the code can be asked in turn over the same rows.
//   bun e2e/bench/historian/trends.ts <folder>
//   MILLRACE_BENCH_LOAD     samples a second that 5,000 tags bring meanwhile (0); to be asked for so many seconds:
//   MILLRACE_BENCH_SECONDS  length of that load (45)
//   MILLRACE_BENCH_DAYS     days of the ten mixed tags (30)       MILLRACE_BENCH_YEAR  0 leaves out the year of one tag
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Stack } from "../../stack/stack.ts";
import { databaseUrl } from "../database-url.ts";
import { printRows } from "../report.ts";
import { zstd } from "../zstd.ts";
import { DAY_MS, MIXED, pastFrames } from "./data-set.ts";
import { feed } from "./feed.ts";
import { type Answered, answerRows, coldly, type QuerySet, questionsOf, warmly } from "./queries.ts";
import { compacted } from "./sizes.ts";
import { sustained } from "./sustained.ts";
import { addTagSet } from "./tag-set.ts";

const DAYS = Number(process.env.MILLRACE_BENCH_DAYS ?? 30);
const YEAR = process.env.MILLRACE_BENCH_YEAR !== "0";
const LOAD = Number(process.env.MILLRACE_BENCH_LOAD ?? 0);
const SECONDS = Number(process.env.MILLRACE_BENCH_SECONDS ?? 45);
/** Until the journal is being emptied as fast as it fills, ms. */
const LOAD_SETTLES_MS = 15_000;
const TAGS = 4;
const COMPACT_MS_MAX = 20 * 60_000;

async function fill(stack: Stack): Promise<QuerySet> {
  const toDay = Math.floor(Date.now() / DAY_MS);
  const bring = async (name: string, habits: typeof MIXED, days: number) => {
    const { identity, tags } = await addTagSet(stack, name, habits);
    const { epoch } = identity;
    const frames = pastFrames({ tags, fromDay: toDay - days, toDay, epoch, compression: zstd });
    await feed(stack.hubUrl, identity, frames);
    await compacted(databaseUrl(stack), COMPACT_MS_MAX);
    return tags.map(({ tagNo }) => tagNo);
  };
  const mixed = await bring("Mixed", MIXED, DAYS);
  const year = YEAR ? await bring("Year", ["decimal"], 365) : mixed;
  const tagNos = mixed.slice(0, TAGS);
  return { tagNos, fromDay: toDay - DAYS, toDay, yearTagNo: year[0]!, latestTagNos: mixed };
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: bun e2e/bench/historian/trends.ts <folder>");
await using stack = await Stack.start({ folder, hubEnv: { MILLRACE_DAY_QUIET_S: "5" } });
await Promise.all([stack.gateway.stop(), stack.plant.stop()]);
const known = join(folder, "query-set.json");
if (!existsSync(known)) writeFileSync(known, JSON.stringify(await fill(stack)));
const set: QuerySet = JSON.parse(readFileSync(known, "utf8"));
const name = `Beside ${Date.now()}`;
const load = { name, tags: 5_000, rate: LOAD, seconds: SECONDS };
const loaded = LOAD > 0 ? sustained(stack, folder, load) : null;
if (loaded !== null) await Bun.sleep(LOAD_SETTLES_MS);
const questions = questionsOf(stack.api, null, set);
const cold = await coldly(questions);
const answered: Answered[] = [];
for (const [i, question] of questions.entries()) answered.push(await warmly(question, cold[i]!));
await loaded;
printRows("Trends over a kept history", answered.flatMap(answerRows));
