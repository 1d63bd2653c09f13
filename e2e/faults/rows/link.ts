import { isWhole, verdictText } from "../ledger/compare.ts";
import { type Rig, until } from "../rig.ts";
import { type FaultContext, type FaultRow, percentile, secondsText } from "../row.ts";

const BACK_MS_MAX = 10_000;
const DEAD_MS_MAX = 25_000;
/** A watchdog looks once a second, and so do we. */
const LOOK_MS = 2_000;

const textOf = (payload: Uint8Array): string => new TextDecoder().decode(payload);

async function cutFor(rig: Rig, context: FaultContext, how: "reset" | "fin" | "silent"): Promise<number> {
  const awayMs = 1_000 + context.random() * context.times(2_000, 29_000);
  if (how === "silent") {
    rig.proxy.up.silent = true;
    rig.proxy.down.silent = true;
  } else rig.proxy.cut(how, true);
  await Bun.sleep(awayMs);
  rig.proxy.heal();
  return await rig.linkUp();
}

/** F13 */
export const cutLink: FaultRow = {
  row: "F13",
  injected: "link cut for 1 to 3 s (long run: to 30 s), by reset, by close and by silence in turn",
  criterion: "all values at the hub once; link up again within 10 s (95 %)",
  lane: "wait",
  async run(context) {
    const rig = await context.rig();
    const cuts = context.times(3, 200);
    const mark = rig.mark();
    const backMs: number[] = [];
    for (let i = 0; i < cuts; i++) {
      backMs.push(await cutFor(rig, context, (["reset", "fin", "silent"] as const)[i % 3]!));
      await Bun.sleep(context.random() * 1_500);
    }
    const verdict = await rig.verdict(mark);
    const p95Ms = percentile(backMs, 0.95);
    return {
      measured: `${cuts} cuts: ${verdictText(verdict)}; up again after ${secondsText(p95Ms)} (95 %)`,
      ok: isWhole(verdict) && p95Ms <= BACK_MS_MAX,
    };
  },
};

const hubSeesUp = async (rig: Rig): Promise<boolean> => (await rig.gateway()).linkState === "up";

/** F16, first half: nothing passes in either direction, and no packet says so. */
async function halfOpen(rig: Rig): Promise<{ gatewayMs: number; hubMs: number }> {
  rig.proxy.up.silent = true;
  rig.proxy.down.silent = true;
  const [gatewayMs, hubMs] = await Promise.all([
    until(60_000, "the gateway notices", async () => !(await rig.local()).hub.up, 200),
    until(60_000, "the hub notices", async () => !(await hubSeesUp(rig)), 200),
  ]);
  rig.proxy.heal();
  await rig.linkUp();
  return { gatewayMs, hubMs };
}

/** F16, second half: a hub that is there and does nothing. */
async function frozenHub(rig: Rig): Promise<number> {
  process.kill(rig.stack.hub.pid, "SIGSTOP");
  try {
    return await until(60_000, "the gateway notices", async () => !(await rig.local()).hub.up, 200);
  } finally {
    process.kill(rig.stack.hub.pid, "SIGCONT");
    await rig.linkUp(60_000);
  }
}

export const deadLink: FaultRow = {
  row: "F16",
  injected: "all bytes dropped in both directions without a reset; then the hub's process stopped (SIGSTOP)",
  criterion: "the dead link is seen within 25 s on both sides, all values once",
  lane: "wait",
  async run(context) {
    const rig = await context.rig();
    await rig.linkUp();
    const mark = rig.mark();
    const { gatewayMs, hubMs } = await halfOpen(rig);
    const frozenMs = await frozenHub(rig);
    const verdict = await rig.verdict(mark);
    const slowestMs = Math.max(gatewayMs, hubMs, frozenMs);
    return {
      measured: `half-open: gateway ${secondsText(gatewayMs)}, hub ${secondsText(hubMs)}; hub stopped: gateway ${secondsText(frozenMs)}; ${verdictText(verdict)}`,
      ok: isWhole(verdict) && slowestMs <= DEAD_MS_MAX + LOOK_MS,
    };
  },
};

/** Narrower than the load, so that there is always more to send. */
const NARROW_BYTES_PER_S = 24 * 1024;
/** Two seconds of that line, the envelope that crosses the limit, and what the line itself held. */
const UNACKED_BYTES_MAX = 2 * NARROW_BYTES_PER_S + 64 * 1024;

/** F17 */
export const lostAcks: FaultRow = {
  row: "F17",
  injected: "on a line of 24 KiB/s with more to send, acknowledgements alone are dropped for 8 s",
  criterion: `the gateway stops within ${UNACKED_BYTES_MAX / 1_024} KiB and stays silent; the hub sees no duplicates; all values once`,
  lane: "wait",
  async run(context) {
    const rig = await context.rig();
    rig.proxy.up.bytesPerS = NARROW_BYTES_PER_S;
    await rig.load(true);
    await rig.linkUp();
    await Bun.sleep(5_000);
    const mark = rig.mark();
    const duplicates = await rig.metric("frames_duplicate_total");
    let unackedBytes = 0;
    let lastMs = Date.now();
    rig.proxy.onUp = ({ binary, payload }) => {
      if (binary) unackedBytes += payload.length;
      if (binary) lastMs = Date.now();
      return null;
    };
    rig.proxy.onDown = ({ binary, payload }) =>
      !binary && textOf(payload).includes('"type":"ack"') ? [] : null;
    await Bun.sleep(8_000);
    const quietMs = Date.now() - lastMs;
    rig.proxy.heal();
    rig.proxy.cut("reset");
    await rig.load(false);
    await rig.linkUp();
    const verdict = await rig.verdict(mark);
    const again = (await rig.metric("frames_duplicate_total")) - duplicates;
    return {
      measured: `${Math.round(unackedBytes / 1_024)} KiB sent without an answer, then silent for ${secondsText(quietMs)}; ${again} duplicates; ${verdictText(verdict)}`,
      ok: isWhole(verdict) && unackedBytes <= UNACKED_BYTES_MAX && quietMs >= 3_000 && again === 0,
    };
  },
};

/** F24, stricter than the matrix: heartbeats come each 10 s, so 12 s of patience must do as well as 30. */
export const idleCut: FaultRow = {
  row: "F24",
  injected: "a middle box cuts connections that are idle for 12 s, while no device is read",
  criterion: "heartbeats hold one session (short run 25 s, long run 24 h)",
  lane: "wait",
  async run(context) {
    const rig = await context.rig();
    const devices = await rig.stack.api.all<{ id: string; enabled: boolean }>("/devices");
    const enabled = devices.filter((device) => device.enabled);
    for (const device of enabled) await rig.enable(device.id, false);
    await rig.linkUp();
    await Bun.sleep(1_000);
    const openedBefore = rig.proxy.opened;
    let messages = 0;
    rig.proxy.idleMsMax = 12_000;
    rig.proxy.onUp = () => {
      messages++;
      return null;
    };
    await Bun.sleep(context.times(25_000, 86_400_000));
    const opened = rig.proxy.opened - openedBefore;
    const { up } = (await rig.local()).hub;
    rig.proxy.heal();
    for (const device of enabled) await rig.enable(device.id, true);
    const mark = rig.mark();
    await until(20_000, "devices are read again", () => rig.mark() > mark);
    return {
      measured: `${messages} messages of the gateway, ${opened} new connections, link ${up ? "up" : "down"}`,
      ok: opened === 0 && up,
    };
  },
};
