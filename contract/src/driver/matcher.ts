import type { FieldPoint, FieldReading } from "../wire/field.ts";
import type { Candidate } from "./modbus/match.ts";

/** A number somebody reads on a display, and where to look for it. */
export interface MatchQuestion {
  around: string;
  /** Places to look at before and after. */
  span: number;
  displayed: number;
  tolerance?: number | undefined;
  previous?: readonly Candidate[] | undefined;
}

export interface MatchAnswer {
  /** What was looked at, and how much of it the device gave. */
  areas: { area: string; from: number; to: number; readable: number }[];
  total: number;
  candidates: Candidate[];
  hint: string;
}

/** How a protocol finds a displayed number: which points to read, and what their raw values may mean. Pure. */
export interface Matcher<S> {
  /** @throws AppError `address.illegal` | `request.tooLarge` */
  window(question: Pick<MatchQuestion, "around" | "span">, settings: S): FieldPoint[][];
  /** @param readings one for each point of `window`, in its order */
  propose(question: MatchQuestion, readings: readonly FieldReading[], settings: S): MatchAnswer;
}
