import type { Cause } from "./cause.ts";

/** A device behind the connection, as the connection sees it. */
export interface Member {
  deviceId: string;
  settings: unknown;
  /** A test that looks in for a moment, no device of the running configuration. */
  visitor?: boolean;
  onLinkUp(): void;
  onLinkDown(cause: Cause): void;
  /** Of this member's own requests; they only grow. */
  tally: Tally;
}

export interface Tally {
  requests: number;
  errors: number;
  roundTripMs: number | null;
}
