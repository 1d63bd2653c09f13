import { EVENT, type EventCode, type GatewayEvent } from "@millrace/contract/wire/event";
import type { SealTime } from "./draft.ts";
import type { Level } from "./level.ts";

/** What the outbox has to say about itself, as an event of lane E. */
export const eventOf = (
  code: EventCode,
  at: SealTime,
  message: string,
  data: GatewayEvent["data"],
): GatewayEvent => ({
  timeMs: at.wallMs,
  code,
  severity: EVENT[code],
  message: message.slice(0, 500),
  data,
});

/** One event for each step of the level. */
export const LEVEL_EVENTS: Record<Level, { code: EventCode; words: string }> = {
  normal: { code: "buffer.relaxed", words: "The buffer has room again." },
  filling: { code: "buffer.filling", words: "The buffer fills up." },
  thinning: {
    code: "buffer.thinned",
    words: "The oldest history in the buffer is thinned to one-minute figures.",
  },
  full: { code: "buffer.overflowed", words: "The buffer is full: samples are lost." },
};
