import { LIMITS } from "@millrace/contract/wire/limits";

/**
 * What the runtime holds every socket to. A message of the uplink may be a whole status; what a socket may hold back is
 * bounded by the largest manifest. Without compression there are no bombs to unpack.
 */
export const SOCKET_LIMITS = {
  maxPayloadLength: LIMITS.uplinkTextBytesMax,
  backpressureLimit: LIMITS.downlinkTextBytesMax,
  perMessageDeflate: false,
  /** Silence is judged by the sessions themselves. */
  idleTimeout: 120,
} as const;
