import type { ErrorCode } from "@millrace/contract/error/code";

/** Error of the system when a connection opens → our code, and words behind host and port; no words: its own message. */
type Failures = Readonly<Record<string, readonly [code: ErrorCode, words: string]>>;

export const NO_PEER: Failures = {
  ECONNREFUSED: ["link.refused", "refused the connection"],
  ENOTFOUND: ["link.unreachable", "is not a name the network knows"],
  EHOSTUNREACH: ["link.unreachable", "cannot be reached: no route"],
  ENETUNREACH: ["link.unreachable", "cannot be reached: no network"],
  ETIMEDOUT: ["link.unreachable", "did not answer"],
};

export const NO_PORT: Failures = {
  ENOENT: ["link.unreachable", "is not there: is the adapter plugged in?"],
  ENXIO: ["link.unreachable", "has no adapter behind it"],
  EACCES: ["link.refused", "may not be opened by the gateway: its user must belong to the group dialout"],
  EBUSY: ["link.refused", ""],
  EINVAL: ["link.refused", ""],
  ENOTTY: ["link.refused", ""],
};
