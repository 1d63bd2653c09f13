import type { StreamKey } from "@millrace/contract/wire/stream";
import type { SQL } from "bun";
import { postgresFacts } from "../db/error.ts";
import { findCrcs } from "../historian/proof/store.ts";
import { answersOf, type ClockAnchor, type EventWrite, type LogWrite } from "./event-rows.ts";

/** A frame that passed admission, ready to be written. */
export interface AdmittedFrame {
  first: number;
  last: number;
  /** `quarantined`: good checksum, unusable content. */
  kind: "data" | "gap" | "rollup" | "events" | "quarantined";
  /** Samples; of a rollup those it kept, of events the events. */
  n: number;
  tMin: number;
  tMax: number;
  crc: number;
  /** The whole frame as received. */
  bytes: Uint8Array;
  /** Cause of a gap, or code and reason of a quarantine; empty for data. */
  cause: string;
  reason: string;
  bootNo: number;
  /** The times inside count from the start of a boot whose clock was not set. */
  clockNone: boolean;
  /** Samples a rollup stands for and does not hold: they become a gap of cause `thinned`. */
  thinned: number;
  events: readonly EventWrite[];
  logs: readonly LogWrite[];
  anchors: readonly ClockAnchor[];
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
    const { bytes, events, logs, anchors, ...facts } = frame;
    const wide = frame.tMax - frame.tMin > WIDE_SPAN_MS;
    const told = frame.kind === "events" ? { events, logs, anchors } : {};
    return { o, len: bytes.length, ...facts, wide, ...told };
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
  const answers = JSON.stringify(answersOf(frames.flatMap(({ events }) => events)));
  const rows: { moved: number }[] = await sql`
    WITH moved AS (
      UPDATE uplink_stream SET last = ${frames.at(-1)!.last}::bigint
      WHERE gateway_no = ${gatewayNo} AND epoch = ${epoch} AND lane = ${key.lane} AND seg = ${key.seg}
        AND last = ${frames[0]!.first - 1}::bigint AND NOT fenced
      RETURNING gateway_no, epoch, lane, seg
    ), f AS (
      SELECT moved.*, x.*, substring(${body}::bytea FROM x.o FOR x.len) AS bytes,
        CASE WHEN x."clockNone" THEN (SELECT b.offset_ms FROM boot_clock b
          WHERE b.gateway_no = moved.gateway_no AND b.boot_no = x."bootNo") END AS known_ms
      FROM moved, jsonb_to_recordset(${meta}::text::jsonb) AS x(
        o int, len int, first bigint, last bigint, kind text, n bigint, "tMin" float8, "tMax" float8, wide boolean,
        crc bigint, cause text, reason text, "bootNo" bigint, "clockNone" boolean, thinned bigint, events jsonb,
        logs jsonb, anchors jsonb)
    ), gaps AS (
      INSERT INTO gap (gateway_no, epoch, lane, seg, first, last, n, t_min, t_max, cause)
      SELECT gateway_no, epoch, lane, seg, first, last, CASE kind WHEN 'gap' THEN n ELSE thinned END,
        "tMin" + coalesce(known_ms, 0), "tMax" + coalesce(known_ms, 0),
        CASE kind WHEN 'gap' THEN cause ELSE 'thinned' END
      FROM f WHERE kind = 'gap' OR thinned > 0
    ), told AS (
      INSERT INTO gateway_event (gateway_no, epoch, seg, seq, position, at, code, severity, message, device_id, data,
        received_at)
      SELECT gateway_no, epoch, seg, first, e.position, e.at + coalesce(known_ms, 0), e.code, e.severity, e.message,
        e."deviceId", e.data, ${input.receivedAt}
      FROM f, jsonb_to_recordset(f.events) AS e(position int, at float8, code text, severity text, message text,
        "deviceId" uuid, data jsonb)
    ), logged AS (
      INSERT INTO gateway_log (gateway_no, epoch, seg, seq, position, at, level, logger, message, device_id, data,
        received_at)
      SELECT gateway_no, epoch, seg, first, l.position, l.at + coalesce(known_ms, 0), l.level, l.logger, l.message,
        l."deviceId", l.data, ${input.receivedAt}
      FROM f, jsonb_to_recordset(f.logs) AS l(position int, at float8, level text, logger text, message text,
        "deviceId" uuid, data jsonb)
    ), anchored AS (
      INSERT INTO boot_clock (gateway_no, boot_no, offset_ms, quality, at)
      SELECT gateway_no, a."bootNo", a."offsetMs", a.quality, ${input.receivedAt}
      FROM f, jsonb_to_recordset(f.anchors) AS a("bootNo" bigint, "offsetMs" float8, quality text)
      ON CONFLICT DO NOTHING
    ), answered AS (
      UPDATE command c SET state = CASE c.state WHEN 'sent' THEN coalesce(a.outcome, c.state) ELSE c.state END,
        answered_at = CASE WHEN c.state = 'sent' AND a.outcome IS NOT NULL THEN ${input.receivedAt}
          ELSE c.answered_at END,
        result = coalesce(c.result, '{}') || CASE c.state WHEN 'sent' THEN coalesce(a.result, '{}') ELSE '{}' END
          || jsonb_strip_nulls(jsonb_build_object('release', coalesce(c.result->'release', a.release)))
      FROM moved, jsonb_to_recordset(${answers}::text::jsonb)
        AS a("commandId" uuid, outcome text, result jsonb, release jsonb)
      WHERE c.id = a."commandId" AND c.gateway_no = moved.gateway_no
        AND (c.state = 'sent' AND a.outcome IS NOT NULL OR a.release IS NOT NULL)
    ), poison AS (
      INSERT INTO ingest_quarantine (gateway_no, epoch, lane, seg, first, last, code, reason, received_at, body)
      SELECT gateway_no, epoch, lane, seg, first, last, cause, reason, ${input.receivedAt}, bytes FROM f
      WHERE kind = 'quarantined'
    ), written AS (
      INSERT INTO journal (gateway_no, epoch, lane, seg, first, last, kind, n, t_min, t_max, wide, crc, received_at,
        boot_no, clock_none, offset_ms, body)
      SELECT gateway_no, epoch, lane, seg, first, last, kind, least(n, 2147483647), "tMin" + coalesce(known_ms, 0),
        "tMax" + coalesce(known_ms, 0), wide, crc, ${input.receivedAt}, "bootNo", "clockNone" AND known_ms IS NULL,
        coalesce(known_ms, 0), CASE WHEN kind = 'quarantined' THEN ''::bytea ELSE bytes END FROM f
    )
    SELECT count(*)::int AS moved FROM moved`;
  return rows[0]?.moved === 1 ? "committed" : "moved";
}

/** What to add to the times of a boot that began without a clock; null while nobody knows. */
export async function readClockOffset(sql: SQL, gatewayNo: number, bootNo: number): Promise<number | null> {
  const rows: { offset_ms: number }[] = await sql`
    SELECT offset_ms FROM boot_clock WHERE gateway_no = ${gatewayNo} AND boot_no = ${bootNo}::bigint`;
  return rows[0]?.offset_ms ?? null;
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
 * one identity or one went back in time. It does not matter whether the frame still lies in the journal.
 */
export async function findConflict(
  sql: SQL,
  gatewayNo: number,
  epoch: number,
  key: StreamKey,
  frames: readonly { first: number; crc: number }[],
): Promise<number | null> {
  if (frames.length === 0) return null;
  const firsts = frames.map(({ first }) => first);
  const stream = { gatewayNo, epoch, ...key };
  const from = Math.min(...firsts);
  const to = Math.max(...firsts);
  const known = await findCrcs(sql, stream, from, to, to - from + 1);
  const crcs = new Map(known.map(({ first, crc }) => [first, crc]));
  const conflicts = frames.filter(({ first, crc }) => (crcs.get(first) ?? crc) !== crc);
  return conflicts.length === 0 ? null : Math.min(...conflicts.map(({ first }) => first));
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
