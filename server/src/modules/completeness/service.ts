import {
  COMPLETENESS_DAYS_MAX,
  type Completeness,
  type CompletenessDay,
  type MissingStretch,
} from "@millrace/contract/api/completeness";
import type { Reach } from "@millrace/contract/api/role";
import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import { covers } from "../../http/reach.ts";
import type { GatewayLink } from "../../ports.ts";
import {
  type CountedTag,
  countDay,
  type DayFacts,
  type DayTally,
  dayFacts,
  emptyTally,
  expectedMinutes,
  missingOf,
  slotMinutesOf,
} from "./account.ts";
import { DAY_MINUTES, DAY_WORDS, emptyDay, fillSlots, rangeBits } from "./bits.ts";
import { BLOCK_TAGS, type DayBlock } from "./day-block.ts";
import { byBlock, type MarkDeps, readMarks, readTag } from "./marks.ts";
import { findCountedTags, findKnown, findScopeGateway, type Scope } from "./store.ts";

const MINUTE_MS = 60_000;
const DAY_MS = DAY_MINUTES * MINUTE_MS;

/** Days times tags one request may count: a few seconds of work for a small machine, with others served between. */
export const TAG_DAYS_MAX = 1_000_000;
const STRETCHES_MAX = 1_000;
/** A minute is due only when it has been over for this long, so that what is on its way is not called missing. */
export const SETTLE_MS = MINUTE_MS;

export interface CompletenessDeps extends MarkDeps {
  clock: Clock;
  links: { linkOf(gatewayId: string): GatewayLink };
}

export interface CompletenessQuery {
  gateway?: string;
  device?: string;
  tag?: number;
  from: string;
  to: string;
  offsetMinutes?: number;
}

/** Local days to count: numbers of days since 1970 on the local calendar. */
interface Range {
  fromDayNo: number;
  toDayNo: number;
  offsetMinutes: number;
}

const dayName = (dayNo: number): string => new Date(dayNo * DAY_MS).toISOString().slice(0, 10);
const startMsOf = (dayNo: number, { offsetMinutes }: Range): number =>
  dayNo * DAY_MS - offsetMinutes * MINUTE_MS;

function dayNoOf(name: "from" | "to", day: string): number {
  const ms = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(ms) || dayName(ms / DAY_MS) !== day)
    throw new AppError("request.invalid", `${name}: there is no day ${day}.`);
  return ms / DAY_MS;
}

function rangeOf(query: CompletenessQuery): Range {
  const range = {
    fromDayNo: dayNoOf("from", query.from),
    toDayNo: dayNoOf("to", query.to),
    offsetMinutes: query.offsetMinutes ?? 0,
  };
  if (range.toDayNo < range.fromDayNo)
    throw new AppError("request.invalid", "to: expected the day of from, or a later one.");
  if (range.toDayNo - range.fromDayNo >= COMPLETENESS_DAYS_MAX)
    throw new AppError("request.invalid", `to: at most ${COMPLETENESS_DAYS_MAX} days at once.`);
  return range;
}

function scopeOf({ gateway, device, tag }: CompletenessQuery): Scope {
  const scopes: Scope[] = [];
  if (gateway !== undefined) scopes.push({ gatewayId: gateway });
  if (device !== undefined) scopes.push({ deviceId: device });
  if (tag !== undefined) scopes.push({ tagNo: tag });
  if (scopes.length === 1) return scopes[0]!;
  throw new AppError("request.invalid", "Name one of gateway=…, device=… and tag=….");
}

/**
 * Completeness of a gateway, a device or a tag, day by day (`Completeness` in the contract defines the words).
 * @throws AppError `request.invalid` | `entity.missing`
 */
export async function completeness(
  deps: CompletenessDeps,
  query: CompletenessQuery,
  reach: Reach,
): Promise<Completeness> {
  const { sql } = deps;
  const scope = scopeOf(query);
  const range = rangeOf(query);
  const gateway = await findScopeGateway(sql, scope);
  if (gateway === null || !covers(reach, gateway.path))
    throw new AppError("entity.missing", "There is nothing with this identity.");
  const fromMs = startMsOf(range.fromDayNo, range);
  const toMs = startMsOf(range.toDayNo + 1, range);
  const tags = await findCountedTags(sql, scope, fromMs);
  const days = range.toDayNo - range.fromDayNo + 1;
  if (tags.length * days > TAG_DAYS_MAX) {
    throw new AppError(
      "request.invalid",
      `to: ${tags.length} tags over ${days} days are too much at once; ask for ${Math.max(1, Math.floor(TAG_DAYS_MAX / tags.length))} days.`,
    );
  }
  const known = await findKnown(sql, gateway.gatewayNo, fromMs, toMs);
  const arrivingFromMs = arrivingFrom(gateway.oldestUnsentMs, deps.links.linkOf(gateway.gatewayId));
  const counted = Array.from({ length: days }, (_, index) => ({
    dayNo: range.fromDayNo + index,
    facts: dayFacts(startMsOf(range.fromDayNo + index, range), known, arrivingFromMs),
    tally: emptyTally(),
  }));
  const missing: MissingStretch[] | null = "tagNo" in scope ? [] : null;
  for (const [blockNo, members] of byBlock(tags)) {
    const marks = await readMarks(deps, gateway.gatewayNo, blockNo, range);
    const endMs = deps.clock.nowMs() - SETTLE_MS;
    for (const day of counted) countTags(day, members, marks, range, endMs, missing);
  }
  return {
    offsetMinutes: range.offsetMinutes,
    tagCount: tags.length,
    days: counted.map(({ dayNo, tally }) => mapDay(dayNo, tally)),
    stretches: missing?.slice(0, STRETCHES_MAX) ?? null,
    stretchesCut: (missing?.length ?? 0) > STRETCHES_MAX,
  };
}

/** From when on data may still come; null when all there is has come. */
function arrivingFrom(oldestUnsentMs: number | null, link: GatewayLink): number | null {
  const away = link.linkState === "up" ? null : link.sinceMs;
  if (oldestUnsentMs === null || away === null) return oldestUnsentMs ?? away;
  return Math.min(oldestUnsentMs, away);
}

interface CountedDay {
  dayNo: number;
  facts: DayFacts;
  tally: DayTally;
}

function countTags(
  { dayNo, facts, tally }: CountedDay,
  tags: readonly CountedTag[],
  marks: ReadonlyMap<number, DayBlock>,
  { offsetMinutes }: Range,
  endMs: number,
  missing: MissingStretch[] | null,
): void {
  const good = emptyDay();
  const bad = emptyDay();
  let due = { from: 0, to: 0 };
  let expected = emptyDay();
  for (const tag of tags) {
    const { from, to } = expectedMinutes(tag, facts.startMs, endMs);
    if (from === to) continue;
    if (from !== due.from || to !== due.to) {
      due = { from, to };
      expected = rangeBits(from, to);
    }
    const index = tag.tagNo % BLOCK_TAGS;
    readTag(marks, dayNo, index, 0, offsetMinutes, good);
    readTag(marks, dayNo, index, DAY_WORDS, offsetMinutes, bad);
    const slotMinutes = slotMinutesOf(tag);
    fillSlots(good, slotMinutes);
    fillSlots(bad, slotMinutes);
    const minutes = { good, bad, expected, enabled: tag.enabled };
    countDay(tally, facts, minutes);
    if (missing) addStretches(missing, facts.startMs, missingOf(facts, minutes));
  }
}

function addStretches(into: MissingStretch[], startMs: number, found: ReturnType<typeof missingOf>): void {
  for (const { from, to, cause } of found) {
    if (into.length > STRETCHES_MAX) return;
    const fromText = new Date(startMs + from * MINUTE_MS).toISOString();
    const toText = new Date(startMs + to * MINUTE_MS).toISOString();
    const last = into.at(-1);
    if (last?.cause === cause && last.to === fromText) last.to = toText;
    else into.push({ from: fromText, to: toText, cause });
  }
}

const mapDay = (dayNo: number, { expected, received, thinned, causes }: DayTally): CompletenessDay => ({
  day: dayName(dayNo),
  expected,
  received,
  missing: expected - received,
  share: expected === 0 ? null : received / expected,
  thinned,
  causes,
});
