import type { Tag } from "@millrace/contract/api/plant";
import type { TrendPen } from "@millrace/contract/api/trend";
import type { HubFault } from "../../error/fault.ts";
import type { PenHistory } from "../../history/columns.ts";
import type { PenLine } from "../../history/line.ts";

/** One pen with everything known of it. `tag` null: its tag is not read yet, or cannot be. */
export interface PenView {
  pen: TrendPen;
  tag: Tag | null;
  history: PenHistory | null;
  line: PenLine | null;
  /** The line of the compared stretch, at its own times. */
  compared: PenLine | null;
  fault: HubFault | null;
  /** When what is shown was saved on this device, if the hub did not give it. */
  savedMs: number | null;
  /** Words instead of a line. */
  strip: boolean;
}

export const nameOf = ({ tag, pen }: Pick<PenView, "tag" | "pen">): string => tag?.name ?? `Tag ${pen.tagNo}`;

export const isStrip = (tag: Tag | null): boolean => tag?.dataType === "text" || tag?.dataType === "boolean";

/** More samples of one pen are asked for as an envelope (`ux.md` 5, goal 7). */
export const RAW_POINTS_MAX = 4_000;

/** Whether a range can be shown as it came: the fastest of the tags decides. */
export function fitsRaw(tags: readonly Pick<Tag, "scanMs">[], lengthMs: number): boolean {
  return tags.every((tag) => lengthMs / tag.scanMs <= RAW_POINTS_MAX);
}
