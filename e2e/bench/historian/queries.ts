// Trends as a screen asks for them, over HTTP with an API key, beside the same question put to plain rows.
import type { EnvelopeSamples, RawSamples } from "@millrace/contract/api/history";

import type { HubApi } from "../../stack/api.ts";
import type { BenchRow } from "../report.ts";
import type { Baseline } from "./baseline.ts";
import { DAY_MS, HOUR_MS } from "./data-set.ts";
import { type Timing, timed } from "./timing.ts";

const WIDTH = 1_000;
const isoOf = (ms: number) => new Date(ms).toISOString();
const ROUNDS = 40;
const WARM_UP = 3;

export interface QuerySet {
  /** Tags that the baseline holds too, from `fromDay` to `toDay`. */
  tagNos: readonly number[];
  fromDay: number;
  toDay: number;
  /** A tag with a year of samples a second, ending with `toDay`. */
  yearTagNo: number;
  /** Tags with a latest value. */
  latestTagNos: readonly number[];
}

export interface Question {
  name: string;
  goalMs: number;
  /** Null where the baseline does not hold the data. */
  plain: ((round: number) => Promise<number>) | null;
  ours: (round: number) => Promise<number>;
}

/** What is asked; each answer returns how many points came, so that an empty one cannot look quick. */
export function questionsOf(api: HubApi, baseline: Baseline | null, set: QuerySet): Question[] {
  const { tagNos, fromDay, toDay } = set;
  const [fromMs, toMs] = [fromDay * DAY_MS, toDay * DAY_MS];
  const one = (round: number) => tagNos[round % tagNos.length]!;
  const hourFrom = (round: number) => fromMs + ((round * 7) % ((toDay - fromDay) * 24 - 1)) * HOUR_MS;
  const ask = async (tags: readonly number[], from: number, to: number, rest: string) => {
    const query = `/samples?tag=${tags.join(",")}&from=${isoOf(from)}&to=${isoOf(to)}${rest}`;
    const answer = await api.get<EnvelopeSamples | RawSamples>(query);
    return answer.series.reduce((sum, { timesMs }) => sum + timesMs.length, 0);
  };
  return [
    {
      name: `${toDay - fromDay} days x ${tagNos.length} tags in ${WIDTH} px`,
      goalMs: 100,
      ours: () => ask(tagNos, fromMs, toMs, `&width=${WIDTH}`),
      plain: baseline && (() => baseline.envelope(tagNos, fromMs, toMs, WIDTH)),
    },
    {
      name: "1 hour raw of one tag",
      goalMs: 5,
      ours: (round) => ask([one(round)], hourFrom(round), hourFrom(round) + HOUR_MS, "&limit=5000"),
      plain: baseline && ((round) => baseline.raw(one(round), hourFrom(round), hourFrom(round) + HOUR_MS)),
    },
    {
      name: `${toDay - fromDay} days of one tag in ${WIDTH} px`,
      goalMs: 6,
      ours: (round) => ask([one(round)], fromMs, toMs, `&width=${WIDTH}`),
      plain: baseline && ((round) => baseline.envelope([one(round)], fromMs, toMs, WIDTH)),
    },
    {
      name: `5.5 hours of one tag in ${WIDTH} px`,
      goalMs: 6,
      ours: (round) => ask([one(round)], hourFrom(round), hourFrom(round) + 5.5 * HOUR_MS, `&width=${WIDTH}`),
      plain:
        baseline &&
        ((round) => baseline.envelope([one(round)], hourFrom(round), hourFrom(round) + 5.5 * HOUR_MS, WIDTH)),
    },
    {
      name: `latest of ${set.latestTagNos.length} tags`,
      goalMs: 2,
      ours: async () =>
        (await api.get<{ items: unknown[] }>(`/latest?tags=${set.latestTagNos.join(",")}`)).items.length,
      plain: baseline && (() => baseline.latest(tagNos)),
    },
    {
      name: `a year of one tag in ${WIDTH} px`,
      goalMs: 300,
      ours: () => ask([set.yearTagNo], toMs - 365 * DAY_MS, toMs, `&width=${WIDTH}`),
      plain: null,
    },
  ];
}

export interface Answered {
  question: Question;
  /** The very first time after a restart of hub and PostgreSQL. */
  coldMs: number;
  warm: Timing;
  plain: Timing | null;
  points: number;
}

/** The first answer of each question is cold: to be called right after a restart. */
export async function coldly(questions: readonly Question[]): Promise<number[]> {
  const tookMs: number[] = [];
  for (const { ours } of questions) {
    const startedMs = performance.now();
    await ours(0);
    tookMs.push(performance.now() - startedMs);
  }
  return tookMs;
}

export async function warmly(question: Question, coldMs: number): Promise<Answered> {
  const points = await question.ours(0);
  if (points === 0) throw new Error(`${question.name}: no points came`);
  const warm = await timed(ROUNDS, WARM_UP, question.ours);
  const plain = question.plain === null ? null : await timed(10, 1, question.plain);
  return { question, coldMs, warm, plain, points };
}

export const answerRows = ({ question, coldMs, warm, plain, points }: Answered): BenchRow[] => [
  {
    name: `${question.name} (goal ${question.goalMs} ms, ${points} points), p95`,
    value: warm.p95Ms,
    unit: "ms",
    ...(plain === null ? {} : { ratio: warm.p95Ms / plain.p95Ms, baseline: "plain rows" }),
  },
  { name: "  p50", value: warm.p50Ms, unit: "ms" },
  { name: "  first after a restart", value: coldMs, unit: "ms" },
];
