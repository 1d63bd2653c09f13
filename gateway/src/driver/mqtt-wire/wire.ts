import type { AppError } from "@millrace/contract/error/app-error";

/** One message as it came. */
export interface Arrived {
  topic: string;
  payload: Uint8Array;
  retain: boolean;
  qos: number;
}

/** What a broker tells in our name when it loses us, with quality of service 1 and not kept. */
export interface Will {
  topic: string;
  payload: Uint8Array;
}

export interface WireEvents {
  onMessage(message: Arrived): void;
  /** The broker let hear from it. */
  onAlive(): void;
  /** The link is gone, once; not after `close`. */
  onClosed(error: AppError): void;
}

/**
 * What became of a message: the broker has it, nobody is subscribed to its topic (MQTT 5 only), it was refused with a reason
 * code, or it never left because there is no link.
 */
export type Taken = { at: "taken" } | { at: "nobody" } | { at: "refused"; code: number } | { at: "unsent" };

/** An open connection to a broker, as little of it as we need. */
export interface Wire {
  /** The broker still knew our session, and sends what came meanwhile. */
  readonly sessionPresent: boolean;
  /** One answer per filter in their order: 0 to 2 granted, 128 and above refused. */
  subscribe(filters: readonly string[], qos: 0 | 1): Promise<number[]>;
  unsubscribe(filters: readonly string[]): void;
  publish(topic: string, payload: Uint8Array): void;
  /** With quality of service 1; false when the broker did not confirm it within `msMax`. */
  publishSurely(topic: string, payload: Uint8Array, msMax: number): Promise<boolean>;
  /**
   * Once: never again after the link was lost. With MQTT 5 at quality of service 1; with 3.1.1 at 0, which no broker keeps for
   * a device that is away, and `taken` says only that it left.
   * @param expiryMs how long a broker of MQTT 5 keeps it for such a device, in whole seconds rounded up
   * @throws Error when the link ends before the answer
   */
  command(topic: string, payload: Uint8Array, expiryMs: number): Promise<Taken>;
  /** What was published and did not leave yet: a broker that reads slowly makes it grow. */
  readonly backlogBytes: number;
  /** @param withWill a broker of MQTT 5 tells our will; one of 3.1.1 never does after a goodbye */
  close(withWill?: boolean): Promise<void>;
}
