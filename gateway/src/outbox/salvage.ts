import { Database } from "bun:sqlite";
import { asAppError } from "@millrace/contract/error/app-error";
import { type FrameView, readFrame } from "@millrace/contract/wire/frame";
import { type StreamText, streamText } from "@millrace/contract/wire/stream";
import type { SealTime } from "./draft.ts";
import { FRAME_COLUMNS, FRAME_VALUES, type RawFrame, rowOf, valuesOf } from "./frame-columns.ts";
import { type FrameRow, sealDraft } from "./frame-row.ts";
import type { Salvage, StreamState } from "./frame-store.ts";
import { prepareDatabase } from "./schema.ts";

/** Rows that cannot be read, one after the other, before the rest of the file is given up. */
const UNREADABLE_MAX = 4_096;

interface Found {
  epoch: number;
  streams: StreamState[];
  /** By stream, in order of numbers, each sound. */
  rows: Map<StreamText, FrameRow[]>;
}

/**
 * Copies every sound, unacknowledged frame of a damaged file into a fresh one under its old number, and puts a gap over
 * each number that is missing. The numbers go on where they stood: were they behind what the hub has, its answer to the
 * next hello is a new epoch.
 * @returns null when not even one stream or frame could be read; `fresh` then does not exist
 */
export function salvageFile(aside: string, fresh: string, bytesQuota: number, at: SealTime): Salvage | null {
  const found = readDamaged(aside);
  if (found === null) return null;
  const db = new Database(fresh, { create: true, strict: true });
  try {
    prepareDatabase(db, bytesQuota);
    let framesLost = 0;
    let framesSaved = 0;
    db.transaction(() => {
      db.query("INSERT INTO meta VALUES ('epoch', ?), ('schema', '1')").run(String(found.epoch));
      for (const stream of found.streams) {
        const { lane, seg, next, acked, maxSent } = stream;
        db.query("INSERT INTO stream VALUES (?, ?, ?, ?, ?, ?, 'open')").run(
          found.epoch,
          lane,
          seg,
          next,
          acked,
          maxSent,
        );
        const rows = found.rows.get(streamText(stream)) ?? [];
        framesSaved += rows.length;
        for (const row of withGaps(found.epoch, stream, rows, at)) {
          if (row.kind === "gap" && !rows.includes(row)) framesLost += row.last - row.first + 1;
          db.query(
            `INSERT INTO frame (epoch, lane, seg, ${FRAME_COLUMNS}, clock_q, enc) VALUES (${FRAME_VALUES})`,
          ).run(found.epoch, lane, seg, ...valuesOf(row));
        }
      }
    })();
    db.run("PRAGMA wal_checkpoint(TRUNCATE)");
    return { epoch: found.epoch, framesSaved, framesLost };
  } finally {
    db.close();
  }
}

/** The rows, and a gap over every hole between the acknowledged and the next number. */
function* withGaps(
  epoch: number,
  stream: StreamState,
  rows: readonly FrameRow[],
  at: SealTime,
): Generator<FrameRow> {
  const { lane, seg } = stream;
  const gap = (first: number, last: number, before: FrameRow | undefined, after: FrameRow | undefined) =>
    sealDraft(
      { epoch, lane, seg, first, last },
      { kind: "gap", cause: "corrupt", n: 0, tMinMs: before?.tMaxMs ?? null, tMaxMs: after?.tMinMs ?? null },
      at,
    );
  let due = stream.acked + 1;
  let before: FrameRow | undefined;
  for (const row of rows) {
    if (row.first > due) yield gap(due, row.first - 1, before, row);
    yield row;
    due = row.last + 1;
    before = row;
  }
  if (due < stream.next) yield gap(due, stream.next - 1, before, undefined);
}

function readDamaged(path: string): Found | null {
  let db: Database;
  try {
    db = new Database(path, { readwrite: true, create: false, strict: true });
  } catch {
    return null;
  }
  try {
    const marks = readMarks(db);
    const rows = readRows(db);
    const epoch = marks?.epoch ?? Math.max(0, ...rows.map(({ epoch }) => epoch));
    if (epoch === 0) return null;
    return collect(
      epoch,
      marks?.streams ?? [],
      rows.filter((each) => each.epoch === epoch),
    );
  } finally {
    db.close();
  }
}

interface SoundRow {
  epoch: number;
  view: FrameView;
  row: FrameRow;
}

function collect(epoch: number, marks: readonly StreamState[], sound: readonly SoundRow[]): Found {
  const streams = new Map<StreamText, StreamState>(
    marks.map((stream) => [streamText(stream), { ...stream }]),
  );
  const rows = new Map<StreamText, FrameRow[]>();
  for (const { view, row } of sound) {
    const { lane, seg } = view.header;
    const name = streamText({ lane, seg });
    const stream = streams.get(name) ?? { lane, seg, next: 1, acked: row.first - 1, maxSent: 0 };
    streams.set(name, stream);
    // A log that was cut may have taken the newest mark with it; a number seen was surely given.
    stream.next = Math.max(stream.next, row.last + 1);
    if (row.last <= stream.acked) continue;
    rows.set(name, [...(rows.get(name) ?? []), row]);
  }
  for (const list of rows.values()) list.sort((a, b) => a.first - b.first);
  for (const stream of streams.values()) stream.maxSent = stream.next - 1;
  return { epoch, streams: [...streams.values()], rows };
}

function readMarks(db: Database): { epoch: number; streams: StreamState[] } | null {
  try {
    const { v } = db.query("SELECT v FROM meta WHERE k = 'epoch'").get() as { v: string };
    const epoch = Number(v);
    const streams = db
      .query(
        "SELECT lane, seg, next_seq AS next, acked_seq AS acked, max_sent_seq AS maxSent FROM stream WHERE epoch = ? AND state = 'open'",
      )
      .all(epoch) as StreamState[];
    return Number.isSafeInteger(epoch) && streams.length > 0 ? { epoch, streams } : null;
  } catch {
    return null;
  }
}

/** One row at a time by its id: a damaged page costs the rows on it and no others. */
function readRows(db: Database): SoundRow[] {
  const rows: SoundRow[] = [];
  let unreadable = 0;
  for (let id = 0; unreadable < UNREADABLE_MAX; ) {
    try {
      const raw = db
        .query(`SELECT id, ${FRAME_COLUMNS} FROM frame WHERE id > ? ORDER BY id LIMIT 1`)
        .get(id) as (RawFrame & { id: number }) | null;
      if (raw === null) return rows;
      id = raw.id;
      unreadable = 0;
      const view = readFrame(raw.body);
      rows.push({ epoch: view.header.epoch, view, row: rowOf(raw) });
    } catch (thrown) {
      if (asAppError(thrown).code === "frame.garbled") continue;
      id++;
      unreadable++;
    }
  }
  return rows;
}
