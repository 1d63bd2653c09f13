import type { ChartKey } from "./chart-keys.ts";
import type { ChartModel } from "./chart-model.ts";
import type { TrendCursor } from "./cursor.svelte.ts";
import type { GestureAction, Place } from "./gestures.ts";
import { zoomAxis } from "./layout.ts";
import { between, panned, zoomed } from "./range.ts";
import type { TrendController } from "./trend-controller.svelte.ts";

interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}
interface Deps {
  trends: TrendController;
  cursor: TrendCursor;
  /** The plot inside the chart, CSS px. */
  box(): Box;
  model(): ChartModel;
  selecting(stretch: { fromX: number; toX: number } | null): void;
}

/** What gestures and keys do to range, axes and cursor. */
export class ChartVerbs {
  readonly #deps: Deps;
  /** Within one motion only its beginning is worth going back to. */
  #moving = false;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  gesture(action: GestureAction): void {
    const { trends, cursor } = this.#deps;
    switch (action.type) {
      case "pan":
        this.#move(panned(trends.window, -action.dx / this.#deps.box().width));
        return;
      case "zoomX":
        this.#move(zoomed(trends.window, this.#share(action.x), action.factor));
        if (action.dx !== 0) this.#move(panned(trends.window, -action.dx / this.#deps.box().width));
        return;
      case "zoomY":
        this.#zoomY(action.at, action.factor);
        return;
      case "settled":
        this.#settle();
        return;
      case "back":
        cursor.clear();
        trends.back();
        return;
      case "cursor":
        this.#hold(action.at, action.fresh);
        return;
      case "selecting":
        cursor.clear();
        this.#deps.selecting(action);
        return;
      case "select":
        this.#deps.selecting(null);
        trends.goTo(between(trends.window, this.#share(action.fromX), this.#share(action.toX)));
        return;
      case "tap":
        this.#tap(action.at, action.touch);
        return;
      case "hover":
        if (!cursor.pinned && this.#inside(action.at)) cursor.set(this.#msAt(action.at.x), false);
        return;
    }
  }

  /** Returns whether the key did something here. */
  key(action: ChartKey): boolean {
    const { trends, cursor } = this.#deps;
    switch (action.type) {
      case "cursor":
        cursor.step(action.steps);
        return true;
      case "edge":
        cursor.set(action.end === "from" ? trends.window.fromMs : trends.window.toMs, true);
        return true;
      case "pen":
        this.#choosePen(action.by);
        return true;
      case "zoom":
        trends.zoom(action.factor, this.#cursorShare());
        return true;
      case "step":
        trends.step(action.direction);
        return true;
      case "live":
        trends.follow();
        return true;
      case "measure":
        cursor.measure();
        return true;
      case "note":
        trends.noting = true;
        return true;
      case "back":
        if (cursor.ms !== null) cursor.clear();
        else if (trends.canGoBack || Object.keys(trends.axes).length > 0) trends.back();
        else return false;
        return true;
    }
  }

  #share(x: number): number {
    const box = this.#deps.box();
    return Math.max(0, Math.min(1, (x - box.left) / box.width));
  }

  #msAt(x: number): number {
    const { fromMs, toMs } = this.#deps.trends.window;
    return fromMs + this.#share(x) * (toMs - fromMs);
  }

  #inside(at: Place): boolean {
    const box = this.#deps.box();
    return at.x >= box.left && at.x <= box.left + box.width;
  }

  #move(range: ReturnType<typeof panned>): void {
    this.#deps.trends.move(range, !this.#moving);
    this.#moving = true;
    // A wheel has no end of its own: it rests when nothing more comes.
    this.#deps.trends.restLater(() => this.#settle());
  }

  #settle(): void {
    if (this.#moving) this.#deps.trends.settle();
    this.#moving = false;
  }

  #zoomY(at: Place, factor: number): void {
    const { trends } = this.#deps;
    const model = this.#deps.model();
    const y = at.y - this.#deps.box().top;
    const here = model.lanes.filter(
      (lane) => lane.kind === "axis" && y >= lane.top && y <= lane.top + lane.height,
    );
    const lane =
      here.find((one) => trends.selected !== null && one.tagNos.includes(trends.selected)) ?? here[0];
    const range = lane === undefined ? undefined : model.ranges[lane.key];
    if (lane === undefined || range === undefined) return;
    trends.zoomAxis(lane.key, zoomAxis(range, 1 - (y - lane.top) / lane.height, factor));
  }

  /** First the cursor; held once more, the difference from there. */
  #hold(at: Place, fresh: boolean): void {
    const { cursor } = this.#deps;
    if (fresh && cursor.pinned && cursor.ms !== null && cursor.fromMs === null) cursor.measure();
    cursor.set(this.#msAt(at.x), true);
  }

  /** A finger on a band asks for its cause; anywhere else it puts the cursor away. */
  #tap(at: Place, touch: boolean): void {
    const { cursor, trends } = this.#deps;
    if (!touch) {
      cursor.set(this.#msAt(at.x), !cursor.pinned);
      return;
    }
    const ms = this.#msAt(at.x);
    const band = trends.shown.some(({ line }) =>
      line?.bands.some((one) => one.fromMs <= ms && ms < one.toMs),
    );
    if (band && !cursor.pinned) cursor.set(ms, true);
    else cursor.clear();
  }

  #choosePen(by: -1 | 1): void {
    const { trends } = this.#deps;
    const { shown } = trends;
    if (shown.length === 0) return;
    const i = shown.findIndex(({ pen }) => pen.tagNo === trends.selected);
    trends.selected = shown[(i + by + shown.length) % shown.length]!.pen.tagNo;
  }

  #cursorShare(): number {
    const { trends, cursor } = this.#deps;
    const { fromMs, toMs } = trends.window;
    return cursor.ms === null ? 0.5 : Math.max(0, Math.min(1, (cursor.ms - fromMs) / (toMs - fromMs)));
  }
}
