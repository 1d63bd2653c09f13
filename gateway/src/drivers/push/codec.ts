import type { Arrival } from "../../driver/arrivals.ts";
import type { Message } from "../../driver/payload/board.ts";

/** What a payload means is `driver/payload/`; a message that was sent here is live. */
export const messageOf = ({ topic, payload }: Arrival): Message => ({
  topic,
  payload,
  retained: false,
  delayed: false,
});
