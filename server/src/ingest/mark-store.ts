import type { StreamKey } from "@millrace/contract/wire/stream";
import type { SQL } from "bun";
import {
  type ApplyInput,
  type ApplyResult,
  applyFrames,
  findConflict,
  readClockOffset,
  readMark,
} from "./apply.ts";
import { demandRenewal } from "./store.ts";

/**
 * What the intake needs of the database: the marks and the journal behind them, and nothing else. A port, so that the
 * delivery can be run against a database in memory that commits late, forgets, or does not say whether it committed.
 */
export interface MarkStore {
  /** All frames and the mark, or nothing. @throws what `classify` judges */
  apply(input: ApplyInput): Promise<ApplyResult>;
  /** Null for a stream that no hello opened. */
  readMark(
    gatewayNo: number,
    epoch: number,
    key: StreamKey,
  ): Promise<{ last: number; fenced: boolean } | null>;
  /** First of `frames` that is stored with another checksum; null when none is. */
  findConflict(
    gatewayNo: number,
    epoch: number,
    key: StreamKey,
    frames: readonly { first: number; crc: number }[],
  ): Promise<number | null>;
  /** Two contents came under one number: the next hello in this epoch is to be answered with a new one. */
  demandRenewal(gatewayNo: number, epoch: number): Promise<void>;
  /** Offset of a boot that began without a clock, in ms; null while it is not known. */
  clockOffset(gatewayNo: number, bootNo: number): Promise<number | null>;
}

/** The marks as they stand in PostgreSQL. */
export const postgresMarks = (sql: SQL): MarkStore => ({
  apply: (input) => applyFrames(sql, input),
  readMark: (gatewayNo, epoch, key) => readMark(sql, gatewayNo, epoch, key),
  findConflict: (gatewayNo, epoch, key, frames) => findConflict(sql, gatewayNo, epoch, key, frames),
  demandRenewal: (gatewayNo, epoch) => demandRenewal(sql, gatewayNo, epoch, "content"),
  clockOffset: (gatewayNo, bootNo) => readClockOffset(sql, gatewayNo, bootNo),
});
