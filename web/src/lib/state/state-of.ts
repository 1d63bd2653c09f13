import type { LinkState } from "@millrace/contract/vocabulary/gateway";
import type { JsonValue } from "@millrace/contract/vocabulary/value";
import type { HubView } from "../hub/hub-view.ts";
import type { Received } from "../hub/received.ts";
import type { ValueLook } from "../test-id.ts";
import { ageWords, momentWords } from "./age.ts";
import { levelOf, qualityWords } from "./quality-words.ts";

export interface StateFacts {
  /** undefined: the hub has not answered for this tag, and nothing is stored on this device. */
  received: Received | undefined;
  hub: HubView["at"];
  /** Link of the tag's gateway as the hub sees it; undefined when not told yet. */
  gateway: { name: string; linkState: LinkState; sinceMs: number | null } | undefined;
  staleAfterMs: number;
  /** Now by the hub's clock, ms UTC. */
  nowMs: number;
}

/** Everything a screen needs to draw one value honestly. */
export interface ValueState {
  look: ValueLook;
  /** What to draw; null draws "—". */
  value: JsonValue;
  /** In brackets: the last good value, not the present one. */
  bracketed: boolean;
  /** Glyph beside the value, so that colour is never alone. */
  glyph: "none" | "clock" | "bad" | "uncertain";
  ageMs: number | null;
  /** The state in words; empty for a live good value. */
  words: string;
}

const blank = (look: ValueLook, words: string): ValueState => ({
  look,
  value: null,
  bracketed: false,
  glyph: "none",
  ageMs: null,
  words,
});

/** A bad value is never drawn as if it were true: only the last good one, in brackets. */
function badValue(received: Received): { value: JsonValue; bracketed: boolean } {
  const lastGood = levelOf(received.quality) === "bad" ? received.lastGood : received.value;
  return { value: lastGood, bracketed: lastGood !== null };
}

/**
 * The state grammar (`ux.md` 1.4) in its order: what we cannot know outranks what we were told. A lost hub makes the
 * whole screen old at once; an offline gateway makes its tags bad; then the sample's own quality; then its age.
 */
export function stateOf(facts: StateFacts): ValueState {
  const { received, hub, gateway, nowMs } = facts;
  if (received === undefined) {
    return hub === "offline" ? blank("waiting", "Not stored on this device") : blank("loading", "");
  }
  if (received.timeMs === null) return blank("waiting", "Waiting for first value");
  const level = levelOf(received.quality);
  const ageMs = Math.max(0, nowMs - received.timeMs);
  const shown = level === "bad" ? badValue(received) : { value: received.value, bracketed: false };
  // While this page has not heard the hub yet, what it has is from the last visit, however young.
  if (hub === "offline" || hub === "connecting") {
    const words = `${ageWords(ageMs)} old${level === "good" ? "" : `, ${qualityWords(received.quality)}`}`;
    return { look: "offline", ...shown, glyph: level === "bad" ? "bad" : "clock", ageMs, words };
  }
  if (gateway !== undefined && gateway.linkState !== "up") {
    const since = gateway.sinceMs === null ? "" : ` since ${momentWords(gateway.sinceMs, nowMs)}`;
    const words = `Gateway “${gateway.name}” offline${since}`;
    return { look: "bad", ...badValue(received), glyph: "bad", ageMs, words };
  }
  if (level === "bad") {
    const lastGood =
      received.lastGoodMs === null ? "" : `, last good ${momentWords(received.lastGoodMs, nowMs)}`;
    return {
      look: "bad",
      ...shown,
      glyph: "bad",
      ageMs,
      words: `${qualityWords(received.quality)}${lastGood}`,
    };
  }
  if (ageMs > facts.staleAfterMs) {
    const words = `${ageWords(ageMs)} old${level === "uncertain" ? `, ${qualityWords(received.quality)}` : ""}`;
    return { look: "stale", ...shown, glyph: "clock", ageMs, words };
  }
  if (level === "uncertain") {
    return { look: "uncertain", ...shown, glyph: "uncertain", ageMs, words: qualityWords(received.quality) };
  }
  return { look: "live", ...shown, glyph: "none", ageMs, words: "" };
}
