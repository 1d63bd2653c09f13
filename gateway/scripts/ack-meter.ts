import { systemClock } from "@millrace/contract/std/clock";
import { FRAME_HEADER_BYTES, readFrameHeader } from "@millrace/contract/wire/frame";
import { streamText } from "@millrace/contract/wire/stream";
import type { Outbox } from "../src/outbox/outbox.ts";

/** Sees each envelope go out and each ack come back, between uplink and outbox, and takes the time. */
export class AckMeter {
  readonly latenciesMs: number[] = [];
  /** Frames sealed before this count, but not for the latencies. */
  latencySinceMs = Number.NEGATIVE_INFINITY;
  samplesAcked = 0;
  bytesAcked = 0;
  private readonly open = new Map<
    string,
    Map<number, { sealedMs: number; samples: number; bytes: number }>
  >();

  watch(outbox: Outbox): Outbox {
    const frames: Outbox["frames"] = async (key, afterSeq, bytesMax) => {
      const envelope = await outbox.frames(key, afterSeq, bytesMax);
      if (envelope.bytes) this.sent(streamText(key), envelope.bytes);
      return envelope;
    };
    const acknowledge: Outbox["acknowledge"] = async (key, hwm) => {
      this.acked(streamText(key), hwm);
      await outbox.acknowledge(key, hwm);
    };
    return new Proxy(outbox, {
      get: (target, name) => {
        if (name === "frames") return frames;
        if (name === "acknowledge") return acknowledge;
        const found: unknown = Reflect.get(target, name, target);
        return typeof found === "function" ? found.bind(target) : found;
      },
    });
  }

  reset(): void {
    this.latenciesMs.length = 0;
    this.samplesAcked = 0;
    this.bytesAcked = 0;
  }

  private sent(stream: string, bytes: Uint8Array): void {
    const frames = this.open.get(stream) ?? new Map();
    this.open.set(stream, frames);
    for (let at = 0; at < bytes.length; ) {
      const { header, bodyBytes } = readFrameHeader(bytes, at);
      const frameBytes = FRAME_HEADER_BYTES + bodyBytes;
      frames.set(header.first, { sealedMs: header.wallMs, samples: header.sampleCount, bytes: frameBytes });
      at += frameBytes;
    }
  }

  private acked(stream: string, hwm: number): void {
    const now = systemClock.nowMs();
    for (const [seq, { sealedMs, samples, bytes }] of this.open.get(stream) ?? []) {
      if (seq > hwm) break;
      this.open.get(stream)!.delete(seq);
      if (sealedMs >= this.latencySinceMs) this.latenciesMs.push(now - sealedMs);
      this.samplesAcked += samples;
      this.bytesAcked += bytes;
    }
  }
}

/** @param sorted rising
 * @param share 0 to 1 */
export const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
