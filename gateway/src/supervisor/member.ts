import type { CycleTally } from "../doctor/tallies.ts";
import type { Windowed } from "../doctor/windowed.ts";
import type { DeviceFacts } from "../driver/doctor.ts";
import type { Cause } from "./cause.ts";

/** A device behind the connection, as the connection sees it. */
export interface Member {
  deviceId: string;
  settings: unknown;
  /** A test that looks in for a moment, no device of the running configuration. */
  visitor?: boolean;
  /** What the bus doctor must know of it; a visitor has none. */
  patient?: Patient;
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

/** A device as the bus doctor meets it. */
export interface Patient extends Pick<DeviceFacts, "name" | "scanMs"> {
  cycles: Windowed<CycleTally>;
}
