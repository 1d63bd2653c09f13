import type { QualityCode } from "@millrace/contract/vocabulary/quality";
import type { TagValue, ValueKind } from "@millrace/contract/vocabulary/value";

/**
 * Where the scan puts what is worth keeping. Called for every sample on the hot path: takes plain arguments instead of
 * an object and never blocks. `value` must fit `kind`; null goes with a bad quality.
 */
export interface SampleSink {
  push(tagNo: number, kind: ValueKind, value: TagValue, quality: QualityCode, timeMs: number): void;
}
