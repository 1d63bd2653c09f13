/// <reference lib="webworker" />
import { AppError, asAppError } from "@millrace/contract/error/app-error";
import { OutboxEngine } from "./engine.ts";
import { FolderDisk } from "./folder-disk.ts";
import type { FromWorker, OutboxCall, OutboxCalls, ToWorker } from "./message.ts";
import { zstd } from "./zstd.ts";

/**
 * The outbox's own thread: SQLite is synchronous, and one slow flush on the main thread would stall polling. The only
 * place in the gateway that opens the database.
 */
declare const self: Worker;

let engine: OutboxEngine | null = null;

const opened = (): OutboxEngine => {
  if (!engine) throw new AppError("internal.bug", "the outbox was used before it was opened");
  return engine;
};

const answer = (message: FromWorker, transfer: ArrayBuffer[] = []): void =>
  self.postMessage(message, transfer);

const CALLS: { [C in OutboxCall]: (input: OutboxCalls[C]["in"]) => OutboxCalls[C]["out"] } = {
  open: ({ settings, epoch, at }) => {
    engine ??= new OutboxEngine(settings, {
      disk: new FolderDisk(settings.folder),
      compression: zstd,
      report: (report) => answer({ report }),
    });
    return engine.open(epoch, at);
  },
  seal: ({ batch, at, receipts }) => {
    const lanes = opened().seal(batch, at, receipts);
    return { buffer: batch?.buffer ?? null, lanes, kept: opened().kept(receipts) };
  },
  receipt: ({ id }) => opened().store.receipt(id),
  record: ({ events, at }) => opened().record(events, at),
  streams: () => opened().streams(),
  openSession: ({ at }) => opened().openSession(at),
  renewEpoch: ({ epoch, known, at }) => {
    opened().renewEpoch(epoch, known, at);
    return null;
  },
  frames: ({ key, afterSeq, bytesMax, at }) => opened().frames(key, afterSeq, bytesMax, at),
  acknowledge: ({ key, hwm }) => {
    opened().acknowledge(key, hwm);
    return null;
  },
  welcomed: ({ key, hwm, at }) => {
    opened().welcomed(key, hwm, at);
    return null;
  },
  condemn: ({ key, seq, code, at }) => {
    opened().condemn(key, seq, code, at);
    return null;
  },
  status: () => opened().status(),
  close: () => {
    engine?.close();
    engine = null;
    return null;
  },
};

/** What moves instead of being copied: emptied buffers and envelopes. */
function movable(value: unknown): ArrayBuffer[] {
  const { buffer, bytes } = (value ?? {}) as { buffer?: unknown; bytes?: unknown };
  if (buffer instanceof ArrayBuffer) return [buffer];
  if (
    bytes instanceof Uint8Array &&
    bytes.buffer instanceof ArrayBuffer &&
    bytes.byteLength === bytes.buffer.byteLength
  ) {
    return [bytes.buffer];
  }
  return [];
}

self.onmessage = (event: MessageEvent<ToWorker>) => {
  const { id, call, input } = event.data;
  try {
    const value = (CALLS[call] as (input: unknown) => unknown)(input);
    answer({ id, ok: true, value }, movable(value));
  } catch (thrown) {
    answer({ id, ok: false, error: asAppError(thrown, "outbox.failed").toBody() });
  }
};
