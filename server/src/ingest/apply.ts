import type { StreamKey } from "@millrace/contract/wire/stream";
import type { SQL } from "bun";
import { postgresFacts } from "../db/error.ts";

/** A frame that passed admission, ready to be written. */
export interface AdmittedFrame {
  first: number;
  last: number;
  /** `quarantined`: good checksum, unusable content. */
  kind: "data" | "gap" | "quarantined";
  n: number;
  tMin: number;
  tMax: number;
  crc: number;
  /** The whole frame as received. */
  bytes: Uint8Array;
  /** Cause of a gap, or code and reason of a quarantine; empty for data. */
  cause: string;
  reason: string;
}

/**
 * Samples of one frame normally span a second; a frame over this is marked, so that a range query knows how far back
 * the unmarked ones can reach.
 */
export const WIDE_SPAN_MS = 3_600_000;

export interface ApplyInput {
  gatewayNo: number;
  epoch: number;
  key: StreamKey;
  /** Consecutive, in order, at least one. */
  frames: readonly AdmittedFrame[];
  receivedAt: Date;
}

/** `moved`: the mark was not where we believed it, and nothing was written. */
export type ApplyResult = "committed" | "moved";

function pack(frames: readonly AdmittedFrame[]): { body: Uint8Array; meta: string } {
  const body = new Uint8Array(frames.reduce((sum, frame) => sum + frame.bytes.length, 0));
  let at = 0;
  const meta = frames.map((frame) => {
    body.set(frame.bytes, at);
    const o = at + 1;
    at += frame.bytes.length;
    const { first, last, kind, n, tMin, tMax, crc, cause, reason } = frame;
    const wide = tMax - tMin > WIDE_SPAN_MS;
    return { o, len: frame.bytes.length, first, last, kind, n, tMin, tMax, wide, crc, cause, reason };
  });
  return { body, meta: JSON.stringify(meta) };
}

/**
 * Writes consecutive frames of one stream and moves its mark, or does nothing at all: one statement, hence one
 * transaction, hence one round trip. All frames travel as one parameter and are cut apart by the database, which
 * measured a third of the CPU of a statement per frame.
 *
 * @returns after the commit.
 * @throws what the database throws. The outcome is then unknown unless `classify` says otherwise.
 */
export async function applyFrames(sql: SQL, input: ApplyInput): Promise<ApplyResult> {
  const { gatewayNo, epoch, key, frames } = input;
  const { body, meta } = pack(frames);
  const rows: { moved: number }[] = await sql`
    WITH moved AS (
      UPDATE uplink_stream SET last = ${frames.at(-1)!.last}::bigint
      WHERE gateway_no = ${gatewayNo} AND epoch = ${epoch} AND lane = ${key.lane} AND seg = ${key.seg}
        AND last = ${frames[0]!.first - 1}::bigint AND NOT fenced
      RETURNING gateway_no, epoch, lane, seg
    ), f AS (
      SELECT moved.*, x.*, substring(${body}::bytea FROM x.o FOR x.len) AS bytes
      FROM moved, jsonb_to_recordset(${meta}::text::jsonb) AS x(
        o int, len int, first bigint, last bigint, kind text, n int, "tMin" float8, "tMax" float8, wide boolean,
        crc bigint, cause text, reason text)
    ), gaps AS (
      INSERT INTO gap (gateway_no, epoch, lane, seg, first, last, n, t_min, t_max, cause)
      SELECT gateway_no, epoch, lane, seg, first, last, n, "tMin", "tMax", cause FROM f WHERE kind = 'gap'
    ), poison AS (
      INSERT INTO ingest_quarantine (gateway_no, epoch, lane, seg, first, last, code, reason, received_at, body)
      SELECT gateway_no, epoch, lane, seg, first, last, cause, reason, ${input.receivedAt}, bytes FROM f
      WHERE kind = 'quarantined'
    ), written AS (
      INSERT INTO journal (gateway_no, epoch, lane, seg, first, last, kind, n, t_min, t_max, wide, crc, received_at, body)
      SELECT gateway_no, epoch, lane, seg, first, last, kind, n, "tMin", "tMax", wide, crc, ${input.receivedAt},
        CASE WHEN kind = 'quarantined' THEN ''::bytea ELSE bytes END FROM f
    )
    SELECT count(*)::int AS moved FROM moved`;
  return rows[0]?.moved === 1 ? "committed" : "moved";
}

/** Where the mark of one stream stands. */
export async function readMark(
  sql: SQL,
  gatewayNo: number,
  epoch: number,
  key: StreamKey,
): Promise<{ last: number; fenced: boolean } | null> {
  const rows: { last: string; fenced: boolean }[] = await sql`
    SELECT last::text, fenced FROM uplink_stream
    WHERE gateway_no = ${gatewayNo} AND epoch = ${epoch} AND lane = ${key.lane} AND seg = ${key.seg}`;
  const row = rows[0];
  return row ? { last: Number(row.last), fenced: row.fenced } : null;
}

/**
 * First number among `frames` whose stored checksum differs: the same number with other content, so two machines use
 * one identity or one went back in time. Frames no longer in the journal prove nothing either way.
 */
export async function findConflict(
  sql: SQL,
  gatewayNo: number,
  epoch: number,
  key: StreamKey,
  frames: readonly { first: number; crc: number }[],
): Promise<number | null> {
  if (frames.length === 0) return null;
  const listed = JSON.stringify(frames.map(({ first, crc }) => ({ first, crc })));
  const rows: { first: string }[] = await sql`
    SELECT j.first::text FROM jsonb_to_recordset(${listed}::text::jsonb) AS x(first bigint, crc bigint)
    JOIN journal j ON j.gateway_no = ${gatewayNo} AND j.epoch = ${epoch} AND j.lane = ${key.lane}
      AND j.seg = ${key.seg} AND j.first = x.first
    WHERE j.crc <> x.crc ORDER BY j.first LIMIT 1`;
  const row = rows[0];
  return row ? Number(row.first) : null;
}

/**
 * What a failed apply means. `rolledBack`: surely nothing was written, doing it again is right. `unknown`: the commit
 * may have happened. `conflict`: a journal row with this key exists although the mark was below it. `defect`: the
 * statement itself was refused, which waiting does not mend.
 */
export type ApplyFailure = "rolledBack" | "unknown" | "conflict" | "defect";

export function classify(thrown: unknown): ApplyFailure {
  const facts = postgresFacts(thrown);
  if (facts === null || facts.sqlState === null) return "unknown";
  if (facts.sqlState === "23505") return "conflict";
  switch (facts.sqlState.slice(0, 2)) {
    case "40":
    case "53":
      return "rolledBack";
    case "08":
    case "57":
    case "58":
      return "unknown";
    default:
      return "defect";
  }
}
