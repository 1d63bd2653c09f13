import type { TagNo } from "./id.ts";
import type { QualityCode } from "./quality.ts";
import type { TagValue } from "./value.ts";

/** One value of one tag at one time, never without its quality. */
export interface Sample {
  tagNo: TagNo;
  value: TagValue;
  quality: QualityCode;
  /** Event time in ms UTC: the source's own time where it has one, else the gateway's time of reading. */
  timeMs: number;
}
