import type { ClockQuality } from "@millrace/contract/wire/frame";
import type { GapCause } from "@millrace/contract/wire/gap";
import type { Loss } from "./sample-batch.ts";

/** What will become a frame once it has a number. Without a number it can wait in memory and nothing is reused. */
export type Draft =
  | ({ kind: "data"; body: Uint8Array } & Loss)
  /** Body of `encodeEvents`; `n` events. */
  | ({ kind: "events"; body: Uint8Array } & Loss)
  /** Body of `encodeRollup`; `n` samples it stands for. */
  | ({ kind: "rollup"; body: Uint8Array } & Loss)
  | { kind: "gap"; cause: GapCause; n: number; tMinMs: number | null; tMaxMs: number | null };

/** When and in which boot something is sealed; read once per seal tick on the main thread. */
export interface SealTime {
  bootNo: number;
  monoMs: number;
  wallMs: number;
  clockQuality: ClockQuality;
}

/** Header bytes and the like of one frame, for budgets. */
export const FRAME_BYTES_EXTRA = 128;

export const draftBytes = (draft: Draft): number =>
  FRAME_BYTES_EXTRA + (draft.kind === "gap" ? 0 : draft.body.byteLength);

/** A clock may have been set back in between. */
export const spanOfTimes = (a: number, b: number) => ({ tMinMs: Math.min(a, b), tMaxMs: Math.max(a, b) });
