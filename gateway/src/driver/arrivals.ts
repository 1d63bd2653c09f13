import type { AppError } from "@millrace/contract/error/app-error";

/** A message a device sent to this gateway by itself. */
export interface Arrival {
  /** Below the device's own topic, e.g. `state`. */
  topic: string;
  payload: Uint8Array;
}

/** What became of a message. */
export interface Taken {
  /** Tags that took something from it. */
  tags: number;
  /** Of these, the ones that could read no value. */
  bad: number;
}

/** Who may send, and who listens. */
export interface Ear {
  login: string;
  token: string;
  hear(arrival: Arrival): Taken;
  /** The gateway stops taking messages. */
  gone(error: AppError): void;
}

/** Where devices that send by themselves arrive: the gateway's broker and its address for HTTP. */
export interface Arrivals {
  /**
   * From now on this login is let in. Ends by the returned function.
   * @throws AppError `link.refused` when this gateway takes no messages
   */
  join(ear: Ear): () => void;
}

/** Topics by which the gateway speaks to a device; nobody sends there. */
export const COMMAND_TOPIC = "cmd";
export const isCommandTopic = (topic: string): boolean =>
  topic === COMMAND_TOPIC || topic.startsWith(`${COMMAND_TOPIC}/`);
