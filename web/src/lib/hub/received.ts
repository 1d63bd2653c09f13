import type { JsonValue } from "@millrace/contract/vocabulary/value";
import type { LiveValue } from "@millrace/contract/wire/live";

/** The newest sample of a tag as the hub sent it. `timeMs` null: the hub never received one. */
export interface Received {
  value: JsonValue;
  quality: string;
  timeMs: number | null;
  lastGood: JsonValue;
  lastGoodMs: number | null;
}

export function receivedOf(live: LiveValue): Received {
  const [, value, quality, timeMs, lastGood, lastGoodMs] = live;
  return { value, quality, timeMs, lastGood, lastGoodMs };
}
