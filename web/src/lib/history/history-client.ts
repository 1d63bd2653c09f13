import {
  type SamplesAnswer,
  SamplesAnswer as SamplesSchema,
  TagHistory,
} from "@millrace/contract/api/history";
import { Page } from "@millrace/contract/api/page";
import { HistorianStatus, RetentionClass } from "@millrace/contract/api/retention";
import {
  Annotation,
  type AnnotationCreate,
  TrendView,
  type TrendViewCreate,
} from "@millrace/contract/api/trend";
import type { HubClient } from "../hub/client.ts";

/** Buckets are asked for by pixel; more than this no screen shows and no pen needs (`ux.md` 5, goal 7). */
export const WIDTH_MAX = 4_000;
/** Rows of one raw answer; what is cut is asked for as an envelope instead. */
const RAW_ROWS_MAX = 50_000;
const LIST_MAX = 1_000;

const ViewPage = Page(TrendView);
const AnnotationPage = Page(Annotation);
const RetentionPage = Page(RetentionClass);

export interface SamplesQuery {
  tagNos: readonly number[];
  fromMs: number;
  toMs: number;
  /** Pixels to fill with buckets; null asks for the samples as they came. */
  width: number | null;
}

const iso = (ms: number): string => new Date(ms).toISOString();

function samplesSearch(query: SamplesQuery): string {
  const search = new URLSearchParams({
    tag: query.tagNos.join(","),
    from: iso(query.fromMs),
    to: iso(query.toMs),
  });
  // A sample beside the range at either end, so that a pen reaches the edges.
  search.set("bounds", "true");
  if (query.width === null) search.set("limit", String(RAW_ROWS_MAX));
  else search.set("width", String(Math.max(1, Math.min(WIDTH_MAX, Math.round(query.width)))));
  return search.toString();
}

/** Address of a file with every sample of a range, for a link. */
export const csvAddress = (query: Omit<SamplesQuery, "width">): string =>
  `/api/v1/samples?${new URLSearchParams({
    tag: query.tagNos.join(","),
    from: iso(query.fromMs),
    to: iso(query.toMs),
    format: "csv",
  })}`;

/** What the historian's part of the API offers, loaded with the screens that show it. Every method throws `HubFault`. */
export class HistoryClient {
  readonly #hub: HubClient;

  constructor(hub: HubClient) {
    this.#hub = hub;
  }

  samples(query: SamplesQuery, signal?: AbortSignal): Promise<SamplesAnswer> {
    const path = `/api/v1/samples?${samplesSearch(query)}`;
    return this.#hub.call({ method: "GET", path, schema: SamplesSchema, ...(signal && { signal }) });
  }

  tagHistory(tagNo: number): Promise<TagHistory> {
    return this.#hub.call({ method: "GET", path: `/api/v1/tags/${tagNo}/history`, schema: TagHistory });
  }

  async views(): Promise<TrendView[]> {
    const path = `/api/v1/trend-views?limit=${LIST_MAX}`;
    return (await this.#hub.call({ method: "GET", path, schema: ViewPage })).items;
  }

  view(id: string): Promise<TrendView> {
    const path = `/api/v1/trend-views/${encodeURIComponent(id)}`;
    return this.#hub.call({ method: "GET", path, schema: TrendView });
  }

  addView(body: TrendViewCreate): Promise<TrendView> {
    return this.#hub.call({ method: "POST", path: "/api/v1/trend-views", schema: TrendView, body });
  }

  /** Refused with `entity.conflict` when somebody saved it meanwhile. */
  changeView(id: string, revision: number, body: TrendViewCreate): Promise<TrendView> {
    const path = `/api/v1/trend-views/${encodeURIComponent(id)}`;
    return this.#hub.call({ method: "PUT", path, schema: TrendView, body, ifMatch: revision });
  }

  deleteView(id: string, revision: number): Promise<void> {
    const path = `/api/v1/trend-views/${encodeURIComponent(id)}`;
    return this.#hub.tell({ method: "DELETE", path, ifMatch: revision });
  }

  async annotations(fromMs: number, toMs: number): Promise<Annotation[]> {
    const search = new URLSearchParams({ from: iso(fromMs), to: iso(toMs), limit: String(LIST_MAX) });
    const path = `/api/v1/annotations?${search}`;
    return (await this.#hub.call({ method: "GET", path, schema: AnnotationPage })).items;
  }

  addAnnotation(body: AnnotationCreate): Promise<Annotation> {
    return this.#hub.call({ method: "POST", path: "/api/v1/annotations", schema: Annotation, body });
  }

  deleteAnnotation(id: string): Promise<void> {
    return this.#hub.tell({ method: "DELETE", path: `/api/v1/annotations/${encodeURIComponent(id)}` });
  }

  historian(): Promise<HistorianStatus> {
    return this.#hub.call({ method: "GET", path: "/api/v1/historian", schema: HistorianStatus });
  }

  async retention(): Promise<RetentionClass[]> {
    return (await this.#hub.call({ method: "GET", path: "/api/v1/retention", schema: RetentionPage })).items;
  }

  /** Refused while it would drop something, with what it would drop, unless confirmed. */
  changeRetention(retention: RetentionClass, confirmed: boolean): Promise<RetentionClass> {
    const path = `/api/v1/retention/${retention.name}${confirmed ? "?confirm=true" : ""}`;
    return this.#hub.call({ method: "PUT", path, schema: RetentionClass, body: retention });
  }
}
