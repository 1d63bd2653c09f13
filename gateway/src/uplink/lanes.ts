import { AppError } from "@millrace/contract/error/app-error";
import type { Ack, Nack } from "@millrace/contract/wire/downlink";
import { type StreamKey, streamText } from "@millrace/contract/wire/stream";
import type { Static } from "@sinclair/typebox";
import { fillSnapshot, snapshotAtAck } from "./snapshot-turn.ts";
import type { FramesRead, LaneState, LinkAction, LinkSettings, StreamHead, UpState } from "./state.ts";
import { backlogDueAfter, nextTurn } from "./turn.ts";
import { goodputAtAck, goodputAtSend, inFlightBytes } from "./window.ts";

export interface UpStep {
  up: UpState;
  actions: LinkAction[];
}

const isOf = (key: StreamKey) => (lane: LaneState) => lane.lane === key.lane && lane.seg === key.seg;

const withLane = (up: UpState, lane: LaneState): UpState => ({
  ...up,
  lanes: up.lanes.map((other) => (isOf(lane)(other) ? lane : other)),
});

function laneOf(up: UpState, key: StreamKey): LaneState {
  const lane = up.lanes.find(isOf(key));
  if (lane) return lane;
  throw new AppError(
    "uplink.protocol",
    `The hub answered for stream ${streamText(key)}, which we did not announce.`,
  );
}

export const freshLane = ({ lane, seg, backlog, next }: StreamHead, hwm: number): LaneState => ({
  lane,
  seg,
  backlog,
  endSeq: backlog ? next - 1 : null,
  ackedSeq: hwm,
  sentSeq: hwm,
  highestSeq: hwm,
  more: !backlog || hwm < next - 1,
  sealedSinceRead: false,
  inFlight: [],
  wentBackTo: null,
  garbled: null,
  pauseUntilMs: 0,
});

/** Lanes in the order of their right to the line: E, current H, older segments of H, oldest first. */
export const inOrder = (lanes: readonly LaneState[]): LaneState[] =>
  [...lanes].sort((a, b) => rank(a) - rank(b) || a.seg - b.seg);

const rank = (lane: LaneState): number => (lane.lane === "E" ? 0 : lane.backlog ? 2 : 1);

/** Cumulative: everything up to `hwm` is committed at the hub. A lower one than known is late and changes nothing. */
export function onAck(up: UpState, ack: Static<typeof Ack>, nowMs: number): UpStep {
  const lane = laneOf(up, ack);
  if (ack.hwm > lane.highestSeq) throw ackOfUnsent(lane, ack.hwm);
  const granted = { ...up, creditBytes: ack.creditBytes };
  if (ack.hwm <= lane.ackedSeq) return { up: granted, actions: [] };
  return advance(granted, lane, ack.hwm, nowMs);
}

function ackOfUnsent(lane: LaneState, hwm: number): AppError {
  return new AppError(
    "uplink.protocol",
    `The hub acknowledged ${streamText(lane)} up to ${hwm}, but we sent only up to ${lane.highestSeq}.`,
  );
}

function advance(up: UpState, lane: LaneState, hwm: number, nowMs: number): UpStep {
  const waiting = lane.inFlight.filter((envelope) => envelope.last > hwm);
  let bytes = 0;
  let ackedNo = 0;
  for (const envelope of lane.inFlight) {
    if (envelope.last > hwm) continue;
    bytes += envelope.bytes;
    ackedNo = envelope.envelopeNo;
  }
  const moved = withLane(up, {
    ...lane,
    ackedSeq: hwm,
    sentSeq: Math.max(lane.sentSeq, hwm),
    more: lane.more && hwm !== lane.endSeq,
    inFlight: waiting,
    wentBackTo: null,
    garbled: null,
  });
  const idle = inFlightBytes(moved) === 0;
  return {
    up: {
      ...moved,
      goodput: goodputAtAck(up.goodput, bytes, idle, nowMs),
      snapshot: snapshotAtAck(up.snapshot, ackedNo),
    },
    actions: [{ do: "acknowledge", key: { lane: lane.lane, seg: lane.seg }, hwm }],
  };
}

/**
 * The hub did not apply an envelope. We go back to the number it expects. All envelopes that were already on their
 * way behind it come back with the same expectation; only the first of these makes us send again.
 */
export function onNack(
  up: UpState,
  nack: Static<typeof Nack>,
  settings: LinkSettings,
  nowMs: number,
): UpStep {
  const lane = laneOf(up, nack);
  const hwm = nack.expected - 1;
  if (hwm > lane.highestSeq) throw ackOfUnsent(lane, hwm);
  if (hwm < lane.ackedSeq) {
    throw new AppError(
      "uplink.protocol",
      `The hub expects ${streamText(lane)} from ${nack.expected}, but acknowledged up to ${lane.ackedSeq} before.`,
    );
  }
  if (nack.code === "frame.gap" && nack.seq === nack.expected) {
    // Sending it again would only be refused again, as fast as the line allows.
    throw new AppError(
      "uplink.protocol",
      `The hub expects ${streamText(lane)} ${nack.seq} and refuses it as too far.`,
    );
  }
  const granted = { ...up, creditBytes: nack.creditBytes };
  if (nack.code === "frame.gap" && lane.wentBackTo === nack.expected) return { up: granted, actions: [] };
  const moved = hwm > lane.ackedSeq ? advance(granted, lane, hwm, nowMs) : { up: granted, actions: [] };
  const back: LaneState = {
    ...laneOf(moved.up, nack),
    sentSeq: hwm,
    inFlight: [],
    more: hwm !== lane.endSeq,
    wentBackTo: nack.expected,
  };
  const { next, actions } = blame(back, nack, settings, nowMs);
  return { up: withLane(moved.up, next), actions: [...moved.actions, ...actions] };
}

function blame(
  lane: LaneState,
  nack: Static<typeof Nack>,
  settings: LinkSettings,
  nowMs: number,
): { next: LaneState; actions: LinkAction[] } {
  switch (nack.code) {
    case "frame.gap":
      return { next: lane, actions: [] };
    case "uplink.busy":
      return { next: { ...lane, pauseUntilMs: nowMs + settings.busyMs }, actions: [] };
    case "frame.garbled": {
      const times = lane.garbled?.seq === nack.seq ? lane.garbled.times + 1 : 1;
      if (times < settings.garbledMax)
        return { next: { ...lane, garbled: { seq: nack.seq, times } }, actions: [] };
      return { next: { ...lane, garbled: null }, actions: [condemn(lane, nack)] };
    }
    case "frame.tooLarge":
      return { next: lane, actions: [condemn(lane, nack)] };
  }
}

const condemn = (lane: LaneState, nack: Static<typeof Nack>): LinkAction => ({
  do: "condemn",
  key: { lane: lane.lane, seg: lane.seg },
  seq: nack.seq,
  code: nack.code,
});

/** An answer of the outbox. One that a nack has overtaken is dropped; the next `fill` reads anew. */
export function onFramesRead(up: UpState, read: FramesRead, settings: LinkSettings, nowMs: number): UpStep {
  const idle: UpState = { ...up, reading: null };
  const lane = laneOf(idle, read);
  if (read.afterSeq !== lane.sentSeq) return { up: idle, actions: [] };
  if (read.refused)
    return { up: withLane(idle, { ...lane, pauseUntilMs: nowMs + settings.busyMs }), actions: [] };
  if (read.envelope === null)
    return { up: withLane(idle, { ...lane, more: lane.sealedSinceRead }), actions: [] };
  const bytes = read.envelope.byteLength;
  const envelopeNo = up.envelopeNo + 1;
  const sent = withLane(idle, {
    ...lane,
    sentSeq: read.last,
    more: read.last !== lane.endSeq,
    highestSeq: Math.max(lane.highestSeq, read.last),
    inFlight: [...lane.inFlight, { envelopeNo, last: read.last, bytes, sentMs: nowMs }],
  });
  const goodput = goodputAtSend(up.goodput, inFlightBytes(up) === 0, nowMs);
  const backlogDueBytes = backlogDueAfter(up, lane, bytes);
  return {
    up: { ...sent, goodput, envelopeNo, backlogDueBytes },
    actions: [{ do: "sendEnvelope", envelope: read.envelope }],
  };
}

/** Sends what may go unasked and asks the outbox for the next frames, one read at a time. */
export function fill(up: UpState, settings: LinkSettings, nowMs: number): UpStep {
  const { up: next, actions } = fillSnapshot(up, settings);
  const turn = next.reading === null ? nextTurn(next, settings, nowMs) : null;
  if (turn === null) return { up: next, actions };
  const { lane, bytesMax } = turn;
  const readNo = next.readNo + 1;
  const key = { lane: lane.lane, seg: lane.seg };
  return {
    up: withLane({ ...next, reading: readNo, readNo }, { ...lane, sealedSinceRead: false }),
    actions: [...actions, { do: "read", readNo, key, afterSeq: lane.sentSeq, bytesMax }],
  };
}
