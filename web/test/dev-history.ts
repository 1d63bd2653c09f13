/**
 * History of the fake hub: computed from the time alone, so that every range of every year has something to show. In
 * each hour: a known gap from minute 20 to 24, bad quality from 40 to 43, uncertain values from 50 to 52. Tag 13 is
 * refused, tag 14 has nothing after 12 November. Not part of the product.
 */
import type { EnvelopeSamples, Gap, RawSamples, SamplesAnswer } from "@millrace/contract/api/history";
import type { Tag } from "@millrace/contract/api/plant";
import type { HistorianStatus, RetentionClass } from "@millrace/contract/api/retention";
import type { Annotation, TrendView } from "@millrace/contract/api/trend";
import type { JsonValue } from "@millrace/contract/vocabulary/value";

export const REFUSED_TAG = 13;
export const ENDED_TAG = 14;
const RAW_EVERY_MS = 1_000;
const OLDEST_MS = Date.UTC(2026, 10, 12, 8, 10);
const iso = (ms: number) => new Date(ms).toISOString();

export type ValueAt = (tag: Tag, ms: number) => JsonValue;
const minuteOf = (ms: number) => Math.floor(ms / 60_000) % 60;
const has = (tag: Tag, ms: number, nowMs: number) =>
  ms <= nowMs &&
  ms >= OLDEST_MS - 400 * 86_400_000 &&
  !(tag.tagNo === ENDED_TAG && ms > OLDEST_MS) &&
  !(minuteOf(ms) >= 20 && minuteOf(ms) < 24);
function qualityAt(tag: Tag, ms: number): string {
  const minute = minuteOf(ms);
  if (minute >= 40 && minute < 43 && tag.tagNo % 2 === 1) return "bad.deviceTimeout";
  return minute >= 50 && minute < 52 ? "uncertain.outOfRange" : "good";
}

function gapsOf(tags: readonly Tag[], fromMs: number, toMs: number): Gap[] {
  const gaps: Gap[] = [];
  if (toMs - fromMs > 40 * 86_400_000) return gaps;
  for (let hour = Math.floor(fromMs / 3_600_000) * 3_600_000; hour < toMs; hour += 3_600_000) {
    const from = hour + 20 * 60_000;
    if (from > toMs || from + 240_000 < fromMs || gaps.length >= 1_000) continue;
    const tagNos = tags.map((tag) => tag.tagNo);
    gaps.push({ tagNos, from: iso(from), to: iso(from + 239_999), cause: "overflow", samples: 240 });
  }
  return gaps;
}

const headOf = (tag: Tag) => ({
  tagNo: tag.tagNo,
  path: tag.path,
  unit: tag.unit,
  dataType: tag.dataType,
  interpolation: tag.interpolation,
});

function raw(tags: readonly Tag[], fromMs: number, toMs: number, nowMs: number, at: ValueAt): RawSamples {
  const series = tags.map((tag) => {
    const timesMs: number[] = [];
    const values: JsonValue[] = [];
    const qualityRuns: { start: number; quality: string }[] = [];
    for (let ms = Math.ceil(fromMs / RAW_EVERY_MS) * RAW_EVERY_MS; ms < toMs; ms += RAW_EVERY_MS) {
      if (!has(tag, ms, nowMs)) continue;
      const quality = qualityAt(tag, ms);
      if (qualityRuns.at(-1)?.quality !== quality) qualityRuns.push({ start: timesMs.length, quality });
      timesMs.push(ms + (tag.tagNo % 7) * 40);
      values.push(quality.startsWith("bad") ? null : at(tag, ms));
    }
    return { ...headOf(tag), timesMs, values, qualityRuns, before: null, after: null };
  });
  const gaps = gapsOf(tags, fromMs, toMs);
  return { from: iso(fromMs), to: iso(toMs), source: "raw", gaps, kind: "raw", series, nextFrom: null };
}

const number = (value: JsonValue) => (typeof value === "boolean" ? Number(value) : Number(value));
const STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400];

type EnvelopeOne = EnvelopeSamples["series"][number];
function bucket(
  tag: Tag,
  startMs: number,
  intervalMs: number,
  nowMs: number,
  at: ValueAt,
  into: EnvelopeOne,
): void {
  const each = Math.max(RAW_EVERY_MS, intervalMs / 12);
  const usable: JsonValue[] = [];
  let bad = 0;
  let uncertain = 0;
  for (let ms = startMs; ms < startMs + intervalMs; ms += each) {
    if (!has(tag, ms, nowMs)) continue;
    const quality = qualityAt(tag, ms);
    if (quality.startsWith("bad")) bad++;
    else {
      if (quality !== "good") uncertain++;
      usable.push(at(tag, ms));
    }
  }
  if (usable.length + bad === 0) return;
  const figures = usable.map(number);
  const none = figures.length === 0;
  const many = Math.max(1, Math.round(each / 1_000));
  into.timesMs.push(startMs);
  into.count.push(usable.length * many);
  into.uncertain.push(uncertain * many);
  into.bad.push(bad * many);
  into.min?.push(none ? null : Math.min(...figures));
  into.max?.push(none ? null : Math.max(...figures));
  into.avg?.push(none ? null : figures.reduce((sum, one) => sum + one, 0) / figures.length);
  into.first.push(usable[0] ?? null);
  into.last.push(usable.at(-1) ?? null);
}

function envelope(
  tags: readonly Tag[],
  range: { fromMs: number; toMs: number; width: number },
  nowMs: number,
  at: ValueAt,
): EnvelopeSamples {
  const { fromMs, toMs, width } = range;
  const least = (toMs - fromMs) / width / 1_000;
  const intervalMs = (STEPS_MS.find((step) => step >= least) ?? 86_400) * 1_000;
  const series = tags.map((tag) => {
    const figures = tag.dataType === "text" ? null : [];
    const one: EnvelopeOne = {
      ...headOf(tag),
      timesMs: [],
      count: [],
      uncertain: [],
      bad: [],
      min: figures,
      max: figures === null ? null : [],
      avg: figures === null ? null : [],
      first: [],
      last: [],
      before: null,
      after: null,
    };
    for (let ms = Math.floor(fromMs / intervalMs) * intervalMs; ms < toMs; ms += intervalMs) {
      bucket(tag, ms, intervalMs, nowMs, at, one);
    }
    return one;
  });
  const source = intervalMs >= 3_600_000 ? "hour" : intervalMs >= 60_000 ? "minute" : "raw";
  const gaps = gapsOf(tags, fromMs, toMs);
  return { from: iso(fromMs), to: iso(toMs), source, gaps, kind: "envelope", intervalMs, series };
}

/** Answer of `GET /api/v1/samples`; null for a request the fake hub refuses. */
export function samplesOf(
  search: URLSearchParams,
  tags: readonly Tag[],
  nowMs: number,
  at: ValueAt,
): SamplesAnswer | null {
  const asked = (search.get("tag") ?? "").split(",").map((no) => tags[Number(no) - 1]!);
  if (asked.some((tag) => tag?.tagNo === REFUSED_TAG || tag === undefined)) return null;
  const fromMs = Date.parse(search.get("from")!);
  const toMs = Date.parse(search.get("to")!);
  const width = Number(search.get("width") ?? 0);
  return width > 0
    ? envelope(asked, { fromMs, toMs, width }, nowMs, at)
    : raw(asked, fromMs, toMs, nowMs, at);
}

export const tagHistory = (tag: Tag) => ({
  tagNo: tag.tagNo,
  oldest: iso(OLDEST_MS - 7 * 86_400_000),
  newest: iso(tag.tagNo === ENDED_TAG ? OLDEST_MS : Date.now()),
  retention: "standard",
  samplesPerDay: 8_640,
  bytesPerDay: 11_232,
});

export const historian: HistorianStatus = {
  stores: [
    { store: "journal", bytes: 41_000_000, samples: 310_000 },
    { store: "raw", bytes: 18_200_000_000, samples: 14_100_000_000 },
    { store: "minute", bytes: 2_900_000_000, samples: null },
    { store: "hour", bytes: 96_000_000, samples: null },
  ],
  waiting: { samples: 310_000, frames: 190, oldestMs: 21_000 },
  stray: 12,
  forecast: {
    samplesPerDay: 43_200_000,
    bytesPerDay: 56_000_000,
    bytesAtRetention: null,
    diskFreeBytes: 82_000_000_000,
    daysUntilFull: 1_464,
  },
};

const classes: RetentionClass[] = [
  { name: "standard", rawDays: 730, minuteDays: 1_825, hourDays: null },
  { name: "short", rawDays: 30, minuteDays: 90, hourDays: 365 },
];
const views: TrendView[] = [];
const annotations: Annotation[] = [];
let made = 0;
const id = () => `01938f5e-7c1a-7b2e-9d39-${String(++made).padStart(12, "0")}`;
const page = (items: unknown[]) => Response.json({ items, nextCursor: null });
const refuse = (status: number, code: string, detail: string, context: Record<string, unknown> = {}) =>
  Response.json(
    {
      type: `urn:millrace:error:${code}`,
      title: code,
      status,
      code,
      detail,
      nextStep: "",
      traceId: "dev-2",
      context,
    },
    { status },
  );

function retention(name: string, url: URL, wanted: RetentionClass): Response {
  const i = classes.findIndex((one) => one.name === name);
  const shorter = wanted.rawDays !== null && wanted.rawDays < (classes[i]!.rawDays ?? 1e9);
  if (shorter && url.searchParams.get("confirm") !== "true") {
    const context = { tiers: ["raw"], partitions: 12, samples: 501_000_000, bytes: 690_000_000, tables: [] };
    return refuse(409, "retention.confirm", `Class "${name}" would keep less (raw).`, context);
  }
  classes[i] = wanted;
  return Response.json(wanted);
}

/** Saved views, annotations, retention and sizes; null when the path is none of them. */
export async function historyApi(request: Request, url: URL): Promise<Response | null> {
  const [, , , kind, one] = url.pathname.split("/");
  const { method } = request;
  const body = method === "POST" || method === "PUT" ? ((await request.json()) as never) : null;
  if (kind === "historian") return Response.json(historian);
  if (kind === "retention") return one === undefined ? page(classes) : retention(one, url, body!);
  if (kind === "annotations") {
    if (method === "GET") return page(annotations);
    if (method === "POST") {
      const added: Annotation = {
        ...(body! as Annotation),
        id: id(),
        author: "Ada Example",
        createdAt: iso(Date.now()),
      };
      annotations.push(added);
      return Response.json(added);
    }
    annotations.splice(
      annotations.findIndex((note) => note.id === one),
      1,
    );
    return Response.json(null);
  }
  if (kind !== "trend-views") return null;
  const i = views.findIndex((view) => view.id === one);
  if (method === "POST") {
    views.push({ ...(body! as TrendView), id: id(), revision: 1, author: "Ada Example" });
    return Response.json(views.at(-1));
  }
  if (one === undefined) return page(views);
  if (i < 0) return refuse(404, "entity.missing", "There is no such view.");
  if (method === "GET") return Response.json(views[i]);
  if (request.headers.get("if-match") !== `"${views[i]!.revision}"`) {
    return refuse(409, "entity.conflict", "Ada Example saved this view meanwhile.");
  }
  if (method === "PUT")
    views[i] = { ...views[i]!, ...(body! as TrendView), revision: views[i]!.revision + 1 };
  else views.splice(i, 1);
  return Response.json(method === "PUT" ? views[i] : null);
}
