import type { Compression } from "@millrace/contract/block/compression";
import { asAppError } from "@millrace/contract/error/app-error";
import { readFrame, readFrameHeader } from "@millrace/contract/wire/frame";
import { LIMITS } from "@millrace/contract/wire/limits";
import type { StreamKey } from "@millrace/contract/wire/stream";
import { type FreshFrame, openFrame } from "./open-frame.ts";

/** Why the rest of an envelope was not taken, and the number it began at. */
export interface AdmissionFault {
  code: "frame.gap" | "frame.garbled" | "frame.tooLarge";
  seq: number;
  message: string;
}

/** Outcome of one envelope. What stands before the fault is good and may be applied. */
export interface Admission {
  /** Null when not even the stream is known, or the session may not write it. */
  key: StreamKey | null;
  fresh: FreshFrame[];
  /** Frames at or below the mark: applied before. */
  duplicates: { first: number; crc: number }[];
  fault: AdmissionFault | null;
}

export interface AdmitInput {
  epoch: number;
  /** High-water mark of a stream of this session; undefined for one that its hello did not list. */
  markOf(key: StreamKey): number | undefined;
  compression: Compression;
}

type FaultCode = AdmissionFault["code"];

const faultCode = (code: string): FaultCode =>
  code === "frame.tooLarge" || code === "frame.gap" ? code : "frame.garbled";

/**
 * Judges an envelope against the mark, without touching anything: skips what is known, takes what continues the stream
 * without a hole, and stops at the first frame that does not. A frame with a good checksum and unusable content is
 * taken into custody instead of refused, because the same bytes would come again for ever (`delivery.md` 2.4, 2.8).
 */
export function admit(bytes: Uint8Array, input: AdmitInput): Admission {
  const admission: Admission = { key: null, fresh: [], duplicates: [], fault: null };
  let mark = 0;
  for (let at = 0; at < bytes.length; ) {
    const seqDue = mark + 1;
    try {
      const { header } = readFrameHeader(bytes, at);
      if (admission.key === null) {
        const key = { lane: header.lane, seg: header.seg };
        const known = header.epoch === input.epoch ? input.markOf(key) : undefined;
        if (known === undefined) return { ...admission, fault: foreignStream(header.first) };
        admission.key = key;
        mark = known;
      } else if (!sameStream(admission.key, header) || header.epoch !== input.epoch) {
        return { ...admission, fault: fault("frame.garbled", header.first, "An envelope holds one stream") };
      }
      if (admission.fresh.length + admission.duplicates.length >= LIMITS.envelopeFramesMax) {
        return {
          ...admission,
          fault: fault("frame.tooLarge", header.first, "Too many frames in one envelope"),
        };
      }
      const view = readFrame(bytes, at);
      at += view.bytes.length;
      if (header.lane !== "L" && header.last <= mark) {
        admission.duplicates.push({ first: header.first, crc: view.crc32c });
        continue;
      }
      if (header.lane !== "L" && header.first !== mark + 1) {
        return { ...admission, fault: fault("frame.gap", header.first, `${mark + 1} was due`) };
      }
      admission.fresh.push(openFrame(view, input.compression));
      mark = header.last;
    } catch (thrown) {
      const { code, message, context } = asAppError(thrown, "frame.garbled");
      const seq = typeof context.seq === "number" ? context.seq : seqDue;
      return { ...admission, fault: fault(faultCode(code), seq, message) };
    }
  }
  if (bytes.length === 0) admission.fault = fault("frame.garbled", 0, "An envelope holds at least one frame");
  return admission;
}

const fault = (code: FaultCode, seq: number, message: string): AdmissionFault => ({ code, seq, message });

const foreignStream = (seq: number): AdmissionFault =>
  fault("frame.garbled", seq, "The hello of this session did not list the stream");

const sameStream = (key: StreamKey, other: StreamKey): boolean =>
  key.lane === other.lane && key.seg === other.seg;
