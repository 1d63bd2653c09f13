import type { AppError } from "@millrace/contract/error/app-error";

/** One message as it came. */
export interface Arrived {
  topic: string;
  payload: Uint8Array;
  retain: boolean;
  qos: number;
}

export interface WireEvents {
  onMessage(message: Arrived): void;
  /** The broker let hear from it. */
  onAlive(): void;
  /** The link is gone, once; not after `close`. */
  onClosed(error: AppError): void;
}

/** An open connection to a broker, as little of it as we need. */
export interface Wire {
  /** The broker still knew our session, and sends what came meanwhile. */
  readonly sessionPresent: boolean;
  /** One answer per filter in their order: 0 to 2 granted, 128 and above refused. */
  subscribe(filters: readonly string[], qos: 0 | 1): Promise<number[]>;
  unsubscribe(filters: readonly string[]): void;
  publish(topic: string, payload: Uint8Array): void;
  close(): Promise<void>;
}
