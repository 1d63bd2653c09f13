import type { Clock } from "@millrace/contract/std/clock";
import type { HistoryPoint } from "../../history/columns.ts";
import { type Band, pointAt } from "../../history/line.ts";
import { clockTime } from "../../state/age.ts";
import { cursorStep } from "./chart-keys.ts";
import { nameOf, type PenView } from "./pen.ts";
import type { TrendController } from "./trend-controller.svelte.ts";
import { markWords, readable, spokenPen } from "./words.ts";

/** A screen reader that hears each step of a held key hears nothing. */
const SPEAK_EVERY_MS = 500;

export interface CursorReading {
  view: PenView;
  point: HistoryPoint | null;
  band: Band | null;
  value: string;
  mark: string;
  /** Of the compared stretch; empty without one. */
  before: string;
}

/** The cursor of the chart: what the pens say of one moment, and the difference to a second one. */
export class TrendCursor {
  ms: number | null = $state(null);
  /** The moment that is measured from. */
  fromMs: number | null = $state(null);
  /** Set by keyboard or finger; a mouse that leaves the chart takes an unpinned one with it. */
  pinned = $state(false);
  spoken = $state("");
  readonly #trends: TrendController;
  readonly #clock: Clock;
  #cancelSpeak: (() => void) | null = null;

  readonly readings: CursorReading[] = $derived.by(() => (this.ms === null ? [] : this.#read(this.ms)));

  constructor(trends: TrendController, clock: Clock) {
    this.#trends = trends;
    this.#clock = clock;
  }

  set(ms: number, pinned: boolean): void {
    const { fromMs, toMs } = this.#trends.window;
    this.ms = Math.round(Math.min(toMs, Math.max(fromMs, ms)));
    this.pinned = pinned;
    if (pinned) this.#speakSoon();
  }

  /** A second long press: from here the difference is told. */
  measure(): void {
    this.fromMs = this.fromMs === null ? this.ms : null;
  }

  step(steps: number): void {
    const { window } = this.#trends;
    const view =
      this.#trends.shown.find(({ pen }) => pen.tagNo === this.#trends.selected) ?? this.#trends.shown[0];
    const times = (view?.line?.points ?? [])
      .map((point) => point.timeMs)
      .filter((ms) => ms >= window.fromMs && ms <= window.toMs);
    const atMs = this.ms ?? (steps > 0 ? window.fromMs : window.toMs);
    this.set(cursorStep(times, atMs, steps, window), true);
  }

  clear(): void {
    this.ms = null;
    this.fromMs = null;
    this.pinned = false;
  }

  release(): void {
    this.#cancelSpeak?.();
  }

  /** Readings at any moment, for the difference. */
  at(ms: number): CursorReading[] {
    return this.#read(ms);
  }

  #read(ms: number): CursorReading[] {
    const { compareMs } = this.#trends.state;
    return this.#trends.shown.map((view) => {
      const { point, band } = view.line === null ? { point: null, band: null } : pointAt(view.line, ms);
      const value = point === null || view.tag === null ? "—" : readable(point, view.tag);
      return {
        view,
        point,
        band,
        value,
        mark: markWords(point, band),
        before: beforeWords(view, ms, compareMs),
      };
    });
  }

  #speakSoon(): void {
    if (this.#cancelSpeak !== null) return;
    this.#cancelSpeak = this.#clock.after(SPEAK_EVERY_MS, () => {
      this.#cancelSpeak = null;
      if (this.ms === null) return;
      const pens = this.readings.map(({ view, value, mark }) =>
        spokenPen({ name: nameOf(view), unit: view.tag?.unit ?? "" }, value, mark),
      );
      this.spoken = `${clockTime(this.ms)}. ${pens.join(". ")}`;
    });
  }
}

function beforeWords(view: PenView, ms: number, compareMs: number | null): string {
  if (compareMs === null || view.compared === null || view.tag === null) return "";
  const { point } = pointAt(view.compared, ms - compareMs);
  return point === null ? "—" : readable(point, view.tag);
}
