import { CREDIT } from "./credit.ts";

/**
 * Takes credit from one gateway for the sake of the others (`faults.md` F35). A backlog of one gateway drains as fast as
 * the hub commits, until others commit beside it: then what it has in flight shrinks towards a few times of what they
 * send, and their envelopes wait behind a small commit of it instead of a large one.
 */
export const FAIR = {
  /** Bytes and commit times are looked at over one to two of these. */
  slotMs: 1_000,
  /** Share of the time in which the others' commits are under way, above which the gateways are in each other's way. */
  othersBusyShare: 0.1,
  /** More than so many times what the others bring, each on average, is more than a fair share. */
  timesMean: 4,
  /** A fair gateway may have in flight what it sends in this time: the longest round trip that should not slow it. */
  flightMs: 1_000,
} as const;

/** What was committed lately, over a stretch of `ms`. */
export interface Recent {
  ms: number;
  /** Of the gateway in question. */
  own: { bytes: number; commitMs: number };
  /** Of all gateways with a commit in that stretch, the one in question among them. */
  all: { gateways: number; bytes: number; commitMs: number };
}

/** The most a gateway should have unacknowledged; infinite while it takes nothing from anybody. */
export function fairBytes({ ms, own, all }: Recent): number {
  const others = all.gateways - 1;
  if (others < 1) return Number.POSITIVE_INFINITY;
  const othersBusyShare = (all.commitMs - own.commitMs) / ms;
  if (othersBusyShare < FAIR.othersBusyShare) return Number.POSITIVE_INFINITY;
  const fair = FAIR.timesMean * ((all.bytes - own.bytes) / others);
  if (own.bytes <= fair) return Number.POSITIVE_INFINITY;
  return Math.max(CREDIT.bytesMin, Math.floor((fair / ms) * FAIR.flightMs));
}

interface Sum {
  bytes: number;
  commitMs: number;
}

/** One stretch of time: what each gateway committed in it. */
interface Slot {
  fromMs: number;
  of: Map<number, Sum>;
  bytes: number;
  commitMs: number;
}

const emptySlot = (fromMs: number): Slot => ({ fromMs, of: new Map(), bytes: 0, commitMs: 0 });

const NOTHING: Sum = { bytes: 0, commitMs: 0 };

/** Remembers who committed how much in the last one to two seconds: two slots that take turns, one entry a gateway. */
export class FairShare {
  #before = emptySlot(Number.NEGATIVE_INFINITY);
  #now = emptySlot(Number.NEGATIVE_INFINITY);
  /** Gateways in either slot. */
  #gateways = 0;

  committed(gatewayNo: number, bytes: number, commitMs: number, monoMs: number): void {
    this.#turn(monoMs);
    const slot = this.#now;
    const sum = slot.of.get(gatewayNo);
    if (sum === undefined && !this.#before.of.has(gatewayNo)) this.#gateways++;
    const { bytes: bytesSoFar, commitMs: msSoFar } = sum ?? NOTHING;
    slot.of.set(gatewayNo, { bytes: bytesSoFar + bytes, commitMs: msSoFar + commitMs });
    slot.bytes += bytes;
    slot.commitMs += commitMs;
  }

  bytesFor(gatewayNo: number, monoMs: number): number {
    this.#turn(monoMs);
    const slots = [this.#before, this.#now];
    const [a, b] = slots.map(({ of }) => of.get(gatewayNo) ?? NOTHING) as [Sum, Sum];
    return fairBytes({
      // Of the first moments of a hub nothing can be said: a share of a few ms would be anything.
      ms: Math.max(FAIR.slotMs, monoMs - this.#before.fromMs),
      own: { bytes: a.bytes + b.bytes, commitMs: a.commitMs + b.commitMs },
      all: {
        gateways: this.#gateways,
        bytes: slots.reduce((sum, { bytes }) => sum + bytes, 0),
        commitMs: slots.reduce((sum, { commitMs }) => sum + commitMs, 0),
      },
    });
  }

  #turn(monoMs: number): void {
    const now = this.#now;
    const sinceMs = monoMs - now.fromMs;
    if (sinceMs < FAIR.slotMs) return;
    // Nobody committed for a whole slot: what lies further back says nothing of the present.
    const isNext = sinceMs < 2 * FAIR.slotMs;
    const fromMs = isNext ? now.fromMs + FAIR.slotMs : monoMs;
    this.#before = isNext ? now : emptySlot(fromMs - FAIR.slotMs);
    this.#now = emptySlot(fromMs);
    this.#gateways = this.#before.of.size;
  }
}
