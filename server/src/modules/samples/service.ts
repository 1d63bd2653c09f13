import type { EnvelopeSamples, RawSamples } from "@millrace/contract/api/history";
import type { Reach } from "@millrace/contract/api/role";
import { AppError } from "@millrace/contract/error/app-error";
import { findBeside } from "../../historian/query/beside.ts";
import { ANSWER_BUDGET, Budget } from "../../historian/query/budget.ts";
import type { QueryDeps, ReadContext } from "../../historian/query/context.ts";
import { readEnvelopes } from "../../historian/query/envelope.ts";
import { findExtent } from "../../historian/query/extent-store.ts";
import type { QueryGates } from "../../historian/query/gates.ts";
import { QUERY } from "../../historian/query/limits.ts";
import { readRawPage } from "../../historian/query/raw.ts";
import { inSnapshot } from "../../historian/query/snapshot.ts";
import { findGaps, findTags, type QueryTag, type Span } from "../../historian/query/store.ts";
import { readWeighted } from "../../historian/query/weighted.ts";
import { covers } from "../../http/reach.ts";
import { type Besides, envelopeAnswer, rawAnswer } from "./answer.ts";
import { isHeavy, pageRows, type SamplesRequest } from "./request.ts";

export interface SamplesDeps extends QueryDeps {
  gates: QueryGates;
}

/** Above this, a range is first cut to where there is anything at all. */
const LONG_MS = 400 * 86_400_000;

/**
 * The answer to a request for JSON: a page of raw samples or an envelope, read in one snapshot.
 * @throws AppError `entity.missing` | `query.tooLarge` | `query.busy` | `query.timeout`
 */
export async function samplesAnswer(
  deps: SamplesDeps,
  request: SamplesRequest,
  signal?: AbortSignal,
): Promise<RawSamples | EnvelopeSamples> {
  const gate = isHeavy(request) ? deps.gates.heavy : deps.gates.light;
  const leave = await gate.enter(signal);
  try {
    return await inSnapshot(deps.sql, (tx) => {
      const budget = new Budget(deps.clock, ANSWER_BUDGET, signal);
      return answer(deps, { tx, budget, compression: deps.compression, frames: deps.frames }, request);
    });
  } finally {
    leave();
  }
}

async function answer(
  deps: SamplesDeps,
  context: ReadContext,
  request: SamplesRequest,
): Promise<RawSamples | EnvelopeSamples> {
  const { tagNos, range, what } = request;
  const [tags, gaps] = await Promise.all([
    knownTags(context, tagNos, request.reach),
    findGaps(context.tx, tagNos, range, QUERY.gapsMax),
  ]);
  const held = await heldRange(context, tagNos, range);
  const besides = request.bounds ? await readBesides(context, tagNos, range) : null;
  if (what.kind === "raw") {
    const page = await readRawPage(context, tagNos, held, pageRows(what.limit));
    return rawAnswer(range, tags, page, gaps, besides);
  }
  const { intervalMs } = what;
  const found = await readEnvelopes(context, tags, held, intervalMs);
  const weighted = what.weighted
    ? await readWeighted(context, tags, held, intervalMs, deps.clock.nowMs())
    : null;
  return envelopeAnswer(range, tags, { ...found, intervalMs, weighted }, gaps, besides);
}

/** The tags in the order asked for. @throws AppError `entity.missing` */
export async function knownTags(
  { tx }: Pick<ReadContext, "tx">,
  tagNos: readonly number[],
  reach: Reach,
): Promise<QueryTag[]> {
  const all = await findTags(tx, tagNos);
  const found = new Map(all.filter(({ path }) => covers(reach, path)).map((tag) => [tag.tagNo, tag]));
  return tagNos.map((tagNo) => {
    const tag = found.get(tagNo);
    if (tag !== undefined) return tag;
    const expected = "numbers of tags this hub has or had";
    throw new AppError("entity.missing", `query/tag: there is no tag ${tagNo}.`, {
      context: { fields: [{ field: "query/tag", found: String(tagNo), expected }] },
    });
  });
}

/** Nobody has samples of all the centuries that can be asked for. */
export async function heldRange({ tx }: ReadContext, tagNos: readonly number[], range: Span): Promise<Span> {
  if (range.toMs - range.fromMs <= LONG_MS) return range;
  const held = await findExtent(tx, tagNos);
  if (held === null) return { fromMs: range.fromMs, toMs: range.fromMs };
  const fromMs = Math.max(range.fromMs, Math.min(held.fromMs, range.toMs));
  return { fromMs, toMs: Math.max(fromMs, Math.min(range.toMs, held.toMs)) };
}

async function readBesides(context: ReadContext, tagNos: readonly number[], range: Span): Promise<Besides> {
  return {
    before: await findBeside(context, tagNos, "before", range.fromMs),
    after: await findBeside(context, tagNos, "after", range.toMs),
  };
}
