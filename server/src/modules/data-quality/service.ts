import {
  type DataQuality,
  type DataQualityQuery,
  type GatewayDataQuality,
  QUALITY_PAGE,
  QUALITY_WINDOW_MS,
  type QualityWindow,
} from "@millrace/contract/api/data-quality";
import type { Reach } from "@millrace/contract/api/role";
import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import { qualityLevel } from "@millrace/contract/vocabulary/quality";
import { staleAfterMs } from "@millrace/contract/vocabulary/tag";
import { QueryGate } from "../../historian/query/gate.ts";
import { decodeCursor, encodeCursor } from "../../http/page.ts";
import { found } from "../change.ts";
import type { MarkDeps } from "../completeness/marks.ts";
import { SETTLE_MS } from "../completeness/service.ts";
import { countWindow, type WindowCount } from "../completeness/window.ts";
import { instantOf } from "../instant.ts";
import type { LatestCache } from "../latest/cache.ts";
import { readFigures } from "./figures.ts";
import { DATA_QUALITY } from "./limits.ts";
import { mapDevice, mapGateway } from "./map.ts";
import { addTally, emptyTally, freshness, isFrozen, type QualityTally, type TagFigures } from "./score.ts";
import {
  findJudgedGateway,
  findJudgedTags,
  type JudgedDevice,
  type JudgedGateway,
  type JudgedTag,
  listJudged,
  sumLost,
} from "./store.ts";

const MINUTE_MS = 60_000;

export interface DataQualityDeps extends MarkDeps {
  clock: Clock;
  latest: Pick<LatestCache, "read">;
}

interface Span {
  fromMs: number;
  toMs: number;
}

/** The window ends a minute ago, at a whole minute: what is on its way is not called missing. */
function spanOf(window: QualityWindow, nowMs: number): Span {
  const toMs = Math.floor((nowMs - SETTLE_MS) / MINUTE_MS) * MINUTE_MS;
  return { fromMs: toMs - QUALITY_WINDOW_MS[window], toMs };
}

/** Age of the newest value somebody may use; null when there never was one. */
function ageOf(latest: DataQualityDeps["latest"], tagNo: number, nowMs: number): number | null {
  const known = latest.read(tagNo);
  const newest = known?.newest;
  const usable = newest && qualityLevel(newest.quality) !== "bad" ? newest : known?.good;
  return usable ? Math.max(0, nowMs - usable.timeMs) : null;
}

/** Counts one tag into its device's tally. */
function addTag(
  tally: QualityTally,
  tag: JudgedTag,
  count: WindowCount,
  figures: TagFigures | undefined,
  now: { ms: number; ageMs: number | null },
): void {
  const isFrozenTag = figures !== undefined && isFrozen(tag, figures);
  tally.usable += figures?.usable ?? 0;
  tally.uncertain += figures?.uncertain ?? 0;
  tally.bad += figures?.bad ?? 0;
  tally.expected += count.expected;
  tally.received += count.received;
  tally.arrived ||= count.arrived;
  tally.pairs += count.pairs;
  tally.steady += isFrozenTag ? 0 : count.pairs - count.flips;
  // A tag that was removed within the window has a past and no present.
  if (tag.untilMs !== null) return;
  tally.tags += 1;
  if (isFrozenTag) tally.frozenTags += 1;
  const liveMs = staleAfterMs(tag.heartbeatMs);
  if (!tag.enabled || (now.ageMs === null && now.ms - tag.sinceMs <= liveMs)) return;
  tally.judged += 1;
  tally.fresh += freshness(now.ageMs, tag.heartbeatMs);
  if (now.ageMs === null || now.ageMs > liveMs) tally.staleTags += 1;
}

/** Tallies of tags by device, a chunk of tags at a time. */
async function tallyTags(
  deps: DataQualityDeps,
  gatewayNo: number,
  tags: readonly JudgedTag[],
  span: Span,
): Promise<Map<string, QualityTally>> {
  const tallies = new Map<string, QualityTally>();
  const nowMs = deps.clock.nowMs();
  for (let at = 0; at < tags.length; at += DATA_QUALITY.chunkTags) {
    const chunk = tags.slice(at, at + DATA_QUALITY.chunkTags);
    const tagNos = chunk.map(({ tagNo }) => tagNo);
    const figures = await readFigures(deps.sql, tagNos, span);
    await countWindow(deps, gatewayNo, chunk, span, (tag, count) => {
      const tally = tallies.get(tag.deviceId) ?? emptyTally();
      tallies.set(tag.deviceId, tally);
      const now = { ms: nowMs, ageMs: ageOf(deps.latest, tag.tagNo, nowMs) };
      addTag(tally, tag, count, figures.get(tag.tagNo), now);
    });
    // Others are served between.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return tallies;
}

/** As many devices of the page as `tagsMax` allows, at least one. */
function cutByTags(devices: readonly JudgedDevice[]): JudgedDevice[] {
  let tags = 0;
  const kept: JudgedDevice[] = [];
  for (const device of devices) {
    tags += device.tagCount;
    if (kept.length > 0 && tags > DATA_QUALITY.tagsMax) break;
    kept.push(device);
  }
  return kept;
}

async function judgeDevices(deps: DataQualityDeps, devices: readonly JudgedDevice[], span: Span) {
  const byGateway = Map.groupBy(devices, ({ gatewayNo }) => gatewayNo);
  const tallies = new Map<string, QualityTally>();
  for (const [gatewayNo, members] of byGateway) {
    const deviceIds = members.map(({ id }) => id);
    const tags = await findJudgedTags(deps.sql, { deviceIds }, span.fromMs);
    for (const [id, tally] of await tallyTags(deps, gatewayNo, tags, span)) tallies.set(id, tally);
  }
  return devices.map((device) => mapDevice(device, tallies.get(device.id) ?? emptyTally()));
}

async function judgeGateway(
  deps: DataQualityDeps,
  gateway: JudgedGateway,
  span: Span,
): Promise<GatewayDataQuality> {
  const lost = await sumLost(deps.sql, gateway.gatewayNo, span);
  if (gateway.tagCount > DATA_QUALITY.tagsMax)
    return mapGateway(gateway, { ...emptyTally(), ...lost }, "tooLarge");
  const total = { ...emptyTally(), ...lost };
  const tags = await findJudgedTags(deps.sql, { gatewayId: gateway.id }, span.fromMs);
  for (const tally of (await tallyTags(deps, gateway.gatewayNo, tags, span)).values()) addTally(total, tally);
  return mapGateway(gateway, total, null);
}

/** Answers about data quality, with what was just counted of whole gateways kept for a while. */
export function createDataQuality(
  deps: DataQualityDeps,
): (query: DataQualityQuery, reach: Reach) => Promise<DataQuality> {
  const { atOnce, waitingMax, waitMsMax, cacheMs, cachedMax } = DATA_QUALITY;
  const gate = new QueryGate(deps.clock, { atOnce, waitingMax, waitMsMax });
  const kept = new Map<string, { atMs: number; value: Promise<GatewayDataQuality> }>();
  const countGateway = async (id: string, span: Span): Promise<GatewayDataQuality> =>
    await judgeGateway(deps, found(await findJudgedGateway(deps.sql, id), "gateway"), span);
  /** Many screens may look at one gateway: the first has it counted, the others wait for the same figures. */
  const gatewayOf = (id: string, window: QualityWindow, span: Span): Promise<GatewayDataQuality> => {
    const name = `${id}/${window}`;
    const known = kept.get(name);
    if (known !== undefined && deps.clock.monoMs() - known.atMs < cacheMs) return known.value;
    const mine = { atMs: deps.clock.monoMs(), value: countGateway(id, span) };
    // Deleting first moves the name to the young end of the map.
    kept.delete(name);
    kept.set(name, mine);
    const oldest = kept.keys().next();
    if (kept.size > cachedMax && !oldest.done) kept.delete(oldest.value);
    // A failure is not worth keeping.
    mine.value.catch(() => {
      if (kept.get(name) === mine) kept.delete(name);
    });
    return mine.value;
  };
  return async (query, reach) => {
    const { deviceId, gatewayId, window = "24h", limit = QUALITY_PAGE.standard } = query;
    if (deviceId !== undefined && gatewayId !== undefined)
      throw new AppError("request.invalid", "Name deviceId=… or gatewayId=…, not both.");
    const after = decodeCursor(query.cursor, ["text"]);
    const leave = await gate.enter();
    try {
      const span = spanOf(window, deps.clock.nowMs());
      const gateway =
        gatewayId === undefined || after !== null ? null : await gatewayOf(gatewayId, window, span);
      const devices = await listJudged(deps.sql, {
        deviceId: deviceId ?? null,
        gatewayId: gatewayId ?? null,
        reach,
        afterPath: after === null ? null : String(after[0]),
        limit: limit + 1,
      });
      if (deviceId !== undefined && after === null) found(devices[0], "device");
      const page = cutByTags(devices.slice(0, limit));
      const last = page.at(-1);
      return {
        window,
        from: instantOf(span.fromMs),
        to: instantOf(span.toMs),
        gateway,
        items: await judgeDevices(deps, page, span),
        nextCursor: devices.length > page.length && last ? encodeCursor([last.path]) : null,
      };
    } finally {
      leave();
    }
  };
}
