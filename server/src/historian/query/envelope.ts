import type { Source } from "@millrace/contract/api/history";
import { valueKindOf } from "@millrace/contract/vocabulary/value";
import { DAY_MS, dayOf, hourOf, MINUTE_MS } from "../slot.ts";
import { decodeTier } from "../tier/block.ts";
import { combineTiers } from "../tier/combine.ts";
import { tierOfSeries } from "../tier/series.ts";
import type { TierColumns } from "../tier/tier.ts";
import type { ReadContext } from "./context.ts";
import { type DisturbedHours, findDisturbed } from "./disturbed.ts";
import { QUERY } from "./limits.ts";
import { around, type EnvelopePlan, isEmpty, planEnvelope, rawStretches } from "./plan.ts";
import type { QueryTag, Span } from "./store.ts";
import { findHourTiers, findMinuteRows, type HourFacts, type HourTier } from "./tier-store.ts";
import { filterTier, orderTiers } from "./tiers.ts";
import { readWindow, windowsOf } from "./window.ts";

/** One-minute figures read with one statement; a row is a day of a tag. */
const MINUTE_ROWS_AT_ONCE = 128;

export interface Envelopes {
  /** Figures by tag, in buckets that begin at multiples of the interval. */
  tiers: Map<number, TierColumns>;
  source: Source;
}

/** Kinds whose values an hour's plain figures cannot hold exactly. */
const needsMinutes = ({ dataType, scaled }: QueryTag): boolean =>
  ["int64", "uint64", "text"].includes(valueKindOf(dataType, scaled));

/**
 * Figures of the tags per bucket, over the samples in the range. What is stored as figures already is not decoded
 * again; the result is that of all samples, whatever level they are in.
 */
export async function readEnvelopes(
  context: ReadContext,
  tags: readonly QueryTag[],
  range: Span,
  intervalMs: number,
): Promise<Envelopes> {
  const reader = new EnvelopeReader(context, range, intervalMs);
  const plan = planEnvelope(range, intervalMs);
  const exact = tags.filter(needsMinutes);
  const plain = tags.filter((tag) => !needsMinutes(tag));
  if (plain.length > 0) await reader.read(plain, plan);
  const noHours = { fromMs: plan.minutes.fromMs, toMs: plan.minutes.fromMs };
  if (exact.length > 0) await reader.read(exact, { ...plan, hours: noHours });
  return reader.finish(tags);
}

/** Collects the figures of each tag from where they lie. */
class EnvelopeReader {
  readonly #parts = new Map<number, TierColumns[]>();
  /** Figures are added up to this at once, so that a year of minutes is not held; buckets consist of whole such steps. */
  readonly #stepMs: number;
  #source: Source = "raw";

  constructor(
    private readonly context: ReadContext,
    private readonly range: Span,
    private readonly intervalMs: number,
  ) {
    this.#stepMs = gcd(intervalMs, DAY_MS);
  }

  async read(tags: readonly QueryTag[], plan: EnvelopePlan): Promise<void> {
    const hasMinutes = !isEmpty(plan.minutes);
    // Sent together: each round trip less is one wait less for a busy processor.
    const [{ disturbed, facts }, hours] = await Promise.all([
      hasMinutes ? findDisturbed(this.context, tags, plan) : { disturbed: new Map(), facts: [] },
      isEmpty(plan.hours) ? [] : findHourTiers(this.context.tx, numbersOf(tags), plan.hours),
    ]);
    this.#addHours(hours, disturbed);
    if (hasMinutes) await this.#readMinutes(tags, plan, disturbed, facts);
    await this.#readRaw(tags, plan, disturbed);
  }

  finish(tags: readonly QueryTag[]): Envelopes {
    const tiers = new Map<number, TierColumns>();
    for (const { tagNo } of tags)
      tiers.set(tagNo, combineTiers(orderTiers(this.#parts.get(tagNo) ?? []), this.intervalMs));
    return { tiers, source: this.#source };
  }

  #add(tagNo: number, tier: TierColumns, source: Source): void {
    if (tier.length === 0) return;
    const parts = this.#parts.get(tagNo);
    if (parts) parts.push(tier);
    else this.#parts.set(tagNo, [tier]);
    if (source === "hour" || (source === "minute" && this.#source === "raw")) this.#source = source;
  }

  #addHours(found: readonly HourTier[], disturbed: DisturbedHours): void {
    for (const { tagNo, tier, unsure } of found) {
      const raw = disturbed.get(tagNo)!;
      for (const hourNo of unsure) raw.add(hourNo);
      const sure = raw.size === 0 ? tier : filterTier(tier, (ms) => !raw.has(hourOf(ms)));
      this.#add(tagNo, sure, "hour");
    }
  }

  async #readMinutes(
    tags: readonly QueryTag[],
    plan: EnvelopePlan,
    disturbed: DisturbedHours,
    facts: readonly HourFacts[],
  ): Promise<void> {
    const { tx, budget, compression } = this.context;
    if (isEmpty(plan.minutes)) return;
    const spans = around(plan.minutes, plan.hours);
    const pick = (tagNo: number, body: Uint8Array, wanted: readonly Span[]) => {
      const raw = disturbed.get(tagNo)!;
      const isWanted = (ms: number) => wanted.some(({ fromMs, toMs }) => ms >= fromMs && ms < toMs);
      return filterTier(decodeTier(body, compression), (ms) => isWanted(ms) && !raw.has(hourOf(ms)));
    };
    for (const { tagNo, hourNo, minutes } of facts) {
      if (minutes === null || disturbed.get(tagNo)!.has(hourNo)) continue;
      await budget.spend(60);
      this.#add(tagNo, pick(tagNo, minutes, spans), "minute");
    }
    const days = Math.max(1, Math.floor(MINUTE_ROWS_AT_ONCE / tags.length));
    const tagNos = numbersOf(tags);
    for (const span of spans) {
      const last = dayOf(span.toMs - 1);
      for (let day = dayOf(span.fromMs); day <= last; day += days) {
        for (const { tagNo, dayNo, body } of await findMinuteRows(
          tx,
          tagNos,
          day,
          Math.min(last, day + days - 1),
        )) {
          await budget.spend(DAY_MS / MINUTE_MS);
          const tier = pick(tagNo, body, [span]);
          const isWhole = spans.length === 1 && !hasHourOf(disturbed.get(tagNo)!, dayNo);
          this.#add(tagNo, isWhole ? shortened(tier, this.#stepMs) : tier, "minute");
        }
      }
    }
  }

  async #readRaw(tags: readonly QueryTag[], plan: EnvelopePlan, disturbed: DisturbedHours): Promise<void> {
    // In one statement for all tags that have a stretch in common, as nearly always.
    const byStretch = new Map<string, { span: Span; tagNos: number[] }>();
    for (const { tagNo } of tags) {
      for (const span of rawStretches(this.range, plan, disturbed.get(tagNo) ?? new Set())) {
        const name = `${span.fromMs}/${span.toMs}`;
        const known = byStretch.get(name);
        if (known) known.tagNos.push(tagNo);
        else byStretch.set(name, { span, tagNos: [tagNo] });
      }
    }
    // A minute is the finest stored stretch: with it all figures are in order by where they begin.
    const fineMs = isEmpty(plan.minutes) ? this.intervalMs : MINUTE_MS;
    for (const { span, tagNos } of byStretch.values()) {
      const read = (part: Span) => readWindow(this.context, tagNos, part, QUERY.windowSamplesMax);
      for await (const { series } of windowsOf(span, QUERY.windowMsMax, read))
        for (const [tagNo, found] of series) this.#add(tagNo, tierOfSeries(found, fineMs), "raw");
    }
  }
}

const numbersOf = (tags: readonly QueryTag[]): number[] => tags.map(({ tagNo }) => tagNo);

function hasHourOf(hours: ReadonlySet<number>, dayNo: number): boolean {
  for (let hour = dayNo * 24; hour < (dayNo + 1) * 24; hour++) if (hours.has(hour)) return true;
  return false;
}

/**
 * Adds a day up, which is right only where nothing else belongs in between: first and last go by time. Its first
 * stretch keeps its beginning, because what was decoded before it comes first.
 */
function shortened(tier: TierColumns, stepMs: number): TierColumns {
  if (stepMs <= MINUTE_MS || tier.length === 0) return tier;
  const short = combineTiers(tier, stepMs);
  short.startMs[0] = Math.max(short.startMs[0]!, tier.startMs[0]!);
  return short;
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
