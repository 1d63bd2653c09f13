import type { Tag } from "@millrace/contract/api/plant";
import { PENS_MAX, type TrendPen, type TrendView } from "@millrace/contract/api/trend";
import { staleAfterMs } from "@millrace/contract/vocabulary/tag";
import { HistoryClient } from "../../history/history-client.ts";
import { HistoryReader } from "../../history/history-reader.ts";
import { lineOf } from "../../history/line.ts";
import type { Services } from "../../services.ts";
import { ageWords, momentWords } from "../../state/age.ts";
import { LivePens } from "./live-pens.svelte.ts";
import { fitsRaw, isStrip, type PenView } from "./pen.ts";
import { PenTags } from "./pen-tags.svelte.ts";
import { type ChartRange, lengthOf, panned, sameRange, windowOf, zoomed } from "./range.ts";
import { stateOfView } from "./saved-views.svelte.ts";
import { TrendData } from "./trend-data.svelte.ts";
import { EMPTY_STATE, formatState, freeStyle, parseState, type TrendState } from "./url-state.ts";

/** A range in motion is asked for when it rests. */
const SETTLE_MS = 150;
const REST_MS = 400;
const REFRESH_MS_MIN = 10_000;
/** Asked for beside the range, so that a short pan finds something. */
const MARGIN_SHARE = 0.2;
const BACK_MAX = 50;
/** Later than any sample. */
const FAR_MS = 8.64e15;

/** The trends screen: which pens, which range, and what is known of them. No markup. */
export class TrendController {
  state: TrendState = $state.raw(EMPTY_STATE);
  /** Value axes a person has zoomed, by their key. */
  axes: Readonly<Record<string, readonly [number, number]>> = $state.raw({});
  selected: number | null = $state(null);
  /** A note is being written. */
  noting = $state(false);
  readonly client: HistoryClient;
  readonly data: TrendData;
  readonly tags: PenTags;
  readonly live: LivePens;
  readonly #services: Services;
  #back: ChartRange[] = $state.raw([]);
  #widthPx = 0;
  #cancelAsk = () => {};
  #cancelRefresh = () => {};
  #cancelRest = () => {};
  #viewId: string | null = null;
  #written = "";

  /** Where "now" stands on the screen: it stops when nothing is heard any more. */
  readonly edgeMs = $derived.by(() => {
    const { live } = this.#services;
    return live.view.at === "offline" ? (live.view.dataMs ?? live.nowMs) : live.nowMs;
  });
  readonly offline = $derived.by(() => this.#services.live.view.at === "offline");
  readonly window = $derived(windowOf(this.state.range, this.edgeMs));
  readonly following = $derived(this.state.range.kind === "live");
  readonly canGoBack = $derived(this.#back.length > 0);
  /** Clocks of values tick only where now is on the screen. */
  readonly #claimMs = $derived(this.window.toMs >= this.edgeMs - 1_000 ? this.edgeMs : FAR_MS);
  readonly pens: PenView[] = $derived.by(() => this.state.pens.map((pen) => this.#view(pen)));
  readonly shown = $derived(this.pens.filter(({ pen }) => pen.hidden !== true));

  constructor(services: Services) {
    this.#services = services;
    this.client = new HistoryClient(services.client);
    this.data = new TrendData(
      new HistoryReader({ client: this.client, store: services.store, clock: services.clock }),
    );
    this.tags = new PenTags(services);
    this.live = new LivePens(services.live);
  }

  release(): void {
    this.#cancelAsk();
    this.#cancelRefresh();
    this.#cancelRest();
    this.data.release();
    this.live.release();
  }

  /** Follows the address: of a link, or of the browser's own back and forward. Our own writing is not news. */
  open(viewId: string | null, search: string, saved: TrendState | null): void {
    this.#viewId = viewId;
    if (search === this.#written && search !== "") return;
    const state = search === "" && saved !== null ? saved : parseState(search);
    this.#written = search;
    this.#back = [];
    this.axes = {};
    this.#set(state);
  }

  /** The chart knows how many device pixels wide it is. */
  resize(widthPx: number): void {
    const before = this.#widthPx;
    this.#widthPx = Math.min(2_000, Math.max(100, Math.round(widthPx)));
    if (Math.abs(before - this.#widthPx) > before * 0.1) this.#askSoon(0);
  }

  /** The view is no longer saved; what is on the screen stays. */
  detach(): void {
    this.#viewId = null;
    this.#write();
  }

  /** Shows a saved view as somebody else left it. */
  reopen(view: TrendView): void {
    this.#set(stateOfView(view));
    this.#written = "";
    this.#services.router.go({ view: "trends", viewId: view.id, search: "" }, "replace");
  }

  addPen(tag: Tag): void {
    if (this.state.pens.length >= PENS_MAX || this.state.pens.some((pen) => pen.tagNo === tag.tagNo)) return;
    this.tags.know(tag);
    const pen: TrendPen = { tagNo: tag.tagNo, style: freeStyle(this.state.pens) };
    this.selected = tag.tagNo;
    this.change({ pens: [...this.state.pens, pen] });
  }

  removePen(tagNo: number): void {
    const pens = this.state.pens.filter((pen) => pen.tagNo !== tagNo);
    this.data.keepOnly(pens.map((pen) => pen.tagNo));
    if (this.selected === tagNo) this.selected = null;
    this.change({ pens });
  }

  changePen(tagNo: number, how: (pen: TrendPen) => TrendPen): void {
    this.change({ pens: this.state.pens.map((pen) => (pen.tagNo === tagNo ? how(pen) : pen)) });
  }

  change(change: Partial<TrendState>): void {
    this.#set({ ...this.state, ...change });
    this.#write();
  }

  /** To another range, which can be undone. */
  goTo(range: ChartRange): void {
    if (sameRange(range, this.state.range)) return;
    this.#remember();
    this.axes = {};
    this.change({ range });
  }

  /** While fingers or a wheel move it. The first motion is where "back" returns to. */
  move(range: ChartRange, first: boolean): void {
    if (first) this.#remember();
    this.state = { ...this.state, range };
    this.#askSoon(SETTLE_MS);
  }

  /** Calls once when nothing has moved for a moment. */
  restLater(run: () => void): void {
    this.#cancelRest();
    this.#cancelRest = this.#services.clock.after(REST_MS, run);
  }

  settle(): void {
    this.#cancelRest();
    this.#write();
    this.#askSoon(SETTLE_MS);
  }

  /** Earlier or later by its own length. */
  step(direction: -1 | 1): void {
    this.goTo(panned(this.window, direction));
  }

  zoom(factor: number, atShare = 0.5): void {
    this.goTo(zoomed(this.window, atShare, factor));
  }

  follow(): void {
    if (!this.following) this.goTo({ kind: "live", lengthMs: Math.round(lengthOf(this.window)) });
  }

  zoomAxis(key: string, range: readonly [number, number]): void {
    this.axes = { ...this.axes, [key]: range };
  }

  /** First the value axes, then the ranges before. */
  back(): void {
    if (Object.keys(this.axes).length > 0) {
      this.axes = {};
      return;
    }
    const range = this.#back.at(-1);
    if (range === undefined) return;
    this.#back = this.#back.slice(0, -1);
    this.change({ range });
  }

  retry(): void {
    void this.tags.ask(this.state.pens.map((pen) => pen.tagNo));
    this.#askSoon(0);
  }

  #remember(): void {
    this.#back = [...this.#back.slice(1 - BACK_MAX), this.state.range];
  }

  #set(state: TrendState): void {
    const tagNos = state.pens.map((pen) => pen.tagNo);
    this.state = state;
    if (this.selected === null || !tagNos.includes(this.selected)) this.selected = tagNos[0] ?? null;
    this.live.follow(tagNos);
    void this.tags.ask(tagNos).then(() => this.#askSoon(0));
    this.#askSoon(0);
  }

  #write(): void {
    this.#written = formatState(this.state);
    this.#services.router.go({ view: "trends", viewId: this.#viewId, search: this.#written }, "replace");
  }

  #askSoon(ms: number): void {
    this.#cancelAsk();
    this.#cancelAsk = this.#services.clock.after(ms, () => this.#ask());
  }

  #ask(): void {
    this.#cancelRefresh();
    const { pens, compareMs, range } = this.state;
    const known = pens.filter((pen) => this.tags.of(pen.tagNo) !== null || this.tags.failed(pen.tagNo));
    if (known.length === 0 || this.#widthPx === 0) return;
    const window = this.window;
    const margin = lengthOf(window) * MARGIN_SHARE;
    const fromMs = Math.floor(window.fromMs - margin);
    // Compared stretches lie in the past and have a right margin of their own.
    const nowMs = Math.ceil(this.#services.live.nowMs);
    const toMs = Math.max(fromMs + 1_000, Math.min(Math.ceil(window.toMs + margin), nowMs));
    const tags = pens.flatMap((pen) => this.tags.of(pen.tagNo) ?? []);
    const tagNos = pens.map((pen) => pen.tagNo);
    const width = fitsRaw(tags, toMs - fromMs) ? null : (this.#widthPx * (toMs - fromMs)) / lengthOf(window);
    this.data.ask({ tagNos, fromMs, toMs, width: width === null ? null : Math.min(4_000, width), compareMs });
    const refreshMs = Math.max(REFRESH_MS_MIN, lengthOf(window) / 400);
    if (range.kind === "live" || window.toMs > nowMs) {
      this.#cancelRefresh = this.#services.clock.after(refreshMs, () => this.#ask());
    }
  }

  #view(pen: TrendPen): PenView {
    const tag = this.tags.of(pen.tagNo);
    const reading = this.data.pens.get(pen.tagNo);
    const history = reading?.history ?? null;
    const stale = staleAfterMs(tag?.heartbeatMs ?? 10_000);
    const nowMs = this.#claimMs;
    const facts = { staleAfterMs: stale, nowMs, listening: nowMs < FAR_MS };
    const awayWords = this.#awayWords(tag);
    const compared = this.data.compared.get(pen.tagNo)?.history ?? null;
    return {
      pen,
      tag,
      history,
      line:
        history === null
          ? null
          : lineOf(history, this.live.tail(pen.tagNo, history.toMs, tag?.heartbeatMs ?? 10_000), {
              ...facts,
              ...(awayWords === null ? {} : { awayWords }),
            }),
      compared:
        compared === null
          ? null
          : lineOf(compared, [], { staleAfterMs: stale, nowMs: FAR_MS, listening: false }),
      fault: this.tags.fault(pen.tagNo) ?? reading?.fault ?? null,
      savedMs: reading?.savedMs ?? null,
      strip: isStrip(tag),
    };
  }

  /** Why a live pen stands still, when the link says so. */
  #awayWords(tag: Tag | null): string | null {
    const { live, lists } = this.#services;
    if (tag === null) return null;
    if (this.offline) return `Hub not heard for ${ageWords(live.nowMs - this.edgeMs)}`;
    const link = live.gatewayLinks.get(tag.gatewayId);
    if (link === undefined || link.linkState === "up") return null;
    const since = link.sinceMs === null ? "" : ` since ${momentWords(link.sinceMs, live.nowMs)}`;
    return `Gateway “${lists.gatewayById.get(tag.gatewayId)?.name ?? ""}” offline${since}`;
  }
}
