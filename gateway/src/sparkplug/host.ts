import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";

/** Longest STATE payload looked at, in bytes. */
const STATE_BYTES_MAX = 1_024;

const State = Type.Object({ online: Type.Boolean(), timestamp: Type.Number({ minimum: 0 }) });

/** What a STATE message means for whoever waits for its host. */
export type HostNews = "online" | "offline" | "none";

/**
 * The primary host as its STATE messages tell it (3.0, 5.4 and 5.7). Only what is not older than the last one counts:
 * the will of a connection before the present one may come late.
 */
export class PrimaryHost {
  online = false;
  /** Timestamp of the newest STATE message that counted, by the host's clock; null before the first. */
  #timestamp: number | null = null;
  /** Messages that were none, or older than what is known. */
  ignored = 0;

  /** A new connection: whether the host is there is to be seen again. */
  forget(): void {
    this.online = false;
  }

  hear(payload: Uint8Array): HostNews {
    const state = decode(payload);
    if (state === null || (this.#timestamp !== null && state.timestamp < this.#timestamp)) {
      this.ignored++;
      return "none";
    }
    this.#timestamp = state.timestamp;
    if (state.online === this.online) return "none";
    this.online = state.online;
    return state.online ? "online" : "offline";
  }
}

function decode(payload: Uint8Array): { online: boolean; timestamp: number } | null {
  if (payload.length > STATE_BYTES_MAX) return null;
  try {
    const json: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    return Value.Check(State, json) ? json : null;
  } catch {
    return null;
  }
}
