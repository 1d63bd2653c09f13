import { type Static, Type } from "@sinclair/typebox";
import { TagNo } from "../vocabulary/id.ts";
import { JsonValue } from "../vocabulary/value.ts";
import { Instant } from "./page.ts";

/** Level and reason in one word, e.g. `good`, `bad.deviceTimeout`. A new reason keeps its level before the dot. */
export const QualityName = Type.String({ examples: ["good", "bad.deviceTimeout"] });

/** Newest sample of a tag by event time. `time` null: never received. */
export const Latest = Type.Object({
  tagNo: TagNo,
  value: JsonValue,
  quality: QualityName,
  time: Type.Union([Instant, Type.Null()]),
  /** Last good value before a bad one, for a screen to show in brackets. */
  lastGood: Type.Union([Type.Object({ value: JsonValue, time: Instant }), Type.Null()]),
});
export type Latest = Static<typeof Latest>;

export const SampleRow = Type.Object({ time: Instant, value: JsonValue, quality: QualityName });

/** A stretch known to be missing. */
export const Gap = Type.Object({
  from: Instant,
  to: Instant,
  cause: Type.String({ examples: ["overflow", "quarantine"] }),
  samples: Type.Integer({ minimum: 0 }),
});

/** `GET /api/v1/samples`: raw samples of one tag in [from, to), oldest first. */
export const RawSamples = Type.Object({
  tagNo: TagNo,
  items: Type.Array(SampleRow),
  gaps: Type.Array(Gap),
  /** Start the next request here when the limit cut this one; null when complete. */
  nextFrom: Type.Union([Instant, Type.Null()]),
});
export type RawSamples = Static<typeof RawSamples>;
