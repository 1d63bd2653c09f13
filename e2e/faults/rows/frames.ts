import { isWhole, verdictText } from "../ledger/compare.ts";
import type { Link, Tap } from "../proxy.ts";
import type { Rig } from "../rig.ts";
import type { FaultContext, FaultRow } from "../row.ts";
import type { Message } from "../websocket-stream.ts";

/** Of `contract/src/wire/frame.ts`: what lies behind it is the body. */
const FRAME_HEADER_BYTES = 68;

const repeat =
  (context: FaultContext): Tap =>
  (message) => {
    if (!message.binary) return null;
    return Array<Message>(1 + Math.floor(context.random() * 5)).fill(message);
  };

/** Keeps every other envelope back and lets the next one pass first; now and then an old session's comes again. */
function reorder(context: FaultContext): Tap {
  let held: Message | null = null;
  let heldOf: Link | null = null;
  const old: Message[] = [];
  return (message, link) => {
    if (!message.binary) return null;
    if (old.length < 50) old.push(message);
    const late = context.random() < 0.1 ? [old[Math.floor(context.random() * old.length)]!] : [];
    // What was kept back of a session that is gone comes into the new one: the old session's frames, late.
    const waiting = held;
    const same = heldOf === link;
    if (waiting !== null) {
      held = null;
      return same ? [message, waiting, ...late] : [waiting, message, ...late];
    }
    if (context.random() < 0.3) {
      held = message;
      heldOf = link;
      return late;
    }
    return [message, ...late];
  };
}

/** One bit in a fifth of the envelopes; of those most in a body, some in a header. */
function flip(context: FaultContext, count: () => void): Tap {
  return (message) => {
    if (!message.binary || context.random() > 0.2) return null;
    const payload = Uint8Array.from(message.payload);
    const from = context.random() < 0.8 ? Math.min(FRAME_HEADER_BYTES, payload.length - 1) : 0;
    const at = from + Math.floor(context.random() * (payload.length - from));
    payload[at] = payload[at]! ^ (1 << Math.floor(context.random() * 8));
    count();
    return [{ binary: true, payload }];
  };
}

interface Figures {
  duplicates: number;
  gapNacks: number;
  crcNacks: number;
}

async function figures(rig: Rig): Promise<Figures> {
  return {
    duplicates: await rig.metric("frames_duplicate_total"),
    gapNacks: await rig.metric("nacks_total", "frame.gap"),
    crcNacks: await rig.metric("nacks_total", "frame.garbled"),
  };
}

/** Runs the tap for a while and compares. */
async function through(rig: Rig, tap: Tap, ms: number) {
  await rig.linkUp();
  const before = await figures(rig);
  const mark = rig.mark();
  rig.proxy.onUp = tap;
  await Bun.sleep(ms);
  rig.proxy.heal();
  await rig.linkUp();
  const verdict = await rig.verdict(mark);
  const after = await figures(rig);
  return {
    verdict,
    duplicates: after.duplicates - before.duplicates,
    gapNacks: after.gapNacks - before.gapNacks,
    crcNacks: after.crcNacks - before.crcNacks,
  };
}

/** F18 */
export const repeated: FaultRow = {
  row: "F18",
  injected: "each envelope is sent one to five times",
  criterion: "all values at the hub once; repeats counted as duplicates",
  lane: "wait",
  async run(context) {
    const rig = await context.rig();
    const { verdict, duplicates } = await through(rig, repeat(context), context.times(6_000, 600_000));
    return {
      measured: `${verdictText(verdict)}; ${duplicates} duplicates seen`,
      ok: isWhole(verdict) && duplicates > 0,
    };
  },
};

/** F19 */
export const reordered: FaultRow = {
  row: "F19",
  injected: "envelopes change places, come late, and come again in a later session (reset every 3 s)",
  criterion: "refused as gap or taken for a duplicate; order kept; all values at the hub once",
  lane: "wait",
  async run(context) {
    const rig = await context.rig();
    const resets = setInterval(() => rig.proxy.cut("reset"), 3_000);
    try {
      const { verdict, duplicates, gapNacks } = await through(
        rig,
        reorder(context),
        context.times(10_000, 600_000),
      );
      return {
        measured: `${verdictText(verdict)}; ${gapNacks} gaps refused, ${duplicates} duplicates seen`,
        ok: isWhole(verdict) && duplicates + gapNacks > 0,
      };
    } finally {
      clearInterval(resets);
    }
  },
};

/** F20 */
export const bitFlips: FaultRow = {
  row: "F20",
  injected: "one bit flipped in a fifth of the envelopes, behind any encryption",
  criterion: "refused by checksum and sent again; counted; all values at the hub once",
  lane: "wait",
  async run(context) {
    const rig = await context.rig();
    let flipped = 0;
    const tap = flip(context, () => void flipped++);
    const { verdict, crcNacks } = await through(rig, tap, context.times(8_000, 600_000));
    return {
      measured: `${flipped} flipped, ${crcNacks} refused as garbled; ${verdictText(verdict)}`,
      ok: isWhole(verdict) && crcNacks > 0,
    };
  },
};
