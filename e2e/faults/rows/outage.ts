import type { EventRow } from "@millrace/contract/api/event";
import { isWhole, verdictText } from "../ledger/compare.ts";
import { type Rig, until } from "../rig.ts";
import { type FaultRow, percentile, secondsText } from "../row.ts";

const LIVE_MS_MAX = 5_000;
const ALARM_MS_MAX = 10_000;

/** Age of the newest value the hub shows for the ledger's tag, in values times the scan: the counter is a clock. */
async function ageMs(rig: Rig): Promise<number> {
  const latest = await rig.stack.api.get<{ items: { time: string | null }[] }>(
    `/latest?tags=${rig.tag.tagNo}`,
  );
  const time = latest.items[0]?.time;
  return time ? Date.now() - Date.parse(time) : Number.POSITIVE_INFINITY;
}

/** F14: longer than the minute from which on the present gets a segment of its own. */
export const longOutage: FaultRow = {
  row: "F14",
  injected: "hub away for 65 s (long run: 30 min) under load, then back over a line of 192 KiB/s",
  criterion:
    "the present is shown 5 s after the reconnect and stays so while the backlog drains; all values once",
  lane: "long",
  async run(context) {
    const rig = await context.rig();
    const mark = rig.mark();
    await rig.load(true);
    await Bun.sleep(1_000);
    rig.proxy.cut("reset", true);
    await Bun.sleep(context.times(65_000, 1_800_000));
    rig.proxy.up.bytesPerS = 192 * 1024;
    rig.proxy.refusing = false;
    await rig.linkUp();
    const behind = (await rig.local()).status.outbox.bytesUnsent;
    const liveMs = await until(60_000, "the present is shown", async () => (await ageMs(rig)) < 2_500);
    await rig.load(false);
    const ages: number[] = [];
    const drainMs = await until(
      600_000,
      "the backlog is gone",
      async () => {
        ages.push(await ageMs(rig));
        return (await rig.local()).status.outbox.framesUnsent <= 4;
      },
      250,
    );
    rig.proxy.up.bytesPerS = 0;
    const verdict = await rig.verdict(mark);
    const p95Ms = percentile(ages, 0.95);
    return {
      measured: `present shown after ${secondsText(liveMs)}, then ${secondsText(p95Ms)} old (95 %) while ${Math.round(behind / 1_024)} KiB drained in ${secondsText(drainMs)}; ${verdictText(verdict)}`,
      ok: isWhole(verdict) && liveMs <= LIVE_MS_MAX && p95Ms <= LIVE_MS_MAX,
    };
  },
};

/** The newest start of the gateway that its hub knows. */
async function lastStartMs(rig: Rig): Promise<number> {
  const events = await rig.stack.api.get<{ items: EventRow[] }>("/events?code=gateway.started&limit=1");
  return events.items[0] ? Date.parse(events.items[0].receivedAt) : 0;
}

/** F15 */
export const narrowLine: FaultRow = {
  row: "F15",
  injected: "64 kbit/s and 800 ms round trip, with more history than the line takes",
  criterion:
    "an event of the gateway is at the hub within 10 s (95 %); no session ends by its own heartbeats",
  lane: "wait",
  async run(context) {
    const rig = await context.rig();
    const starts = context.times(2, 50);
    const mark = rig.mark();
    await rig.load(true);
    Object.assign(rig.proxy.up, { latencyMs: 400, bytesPerS: 8_000 });
    Object.assign(rig.proxy.down, { latencyMs: 400, bytesPerS: 8_000 });
    const tookMs: number[] = [];
    for (let i = 0; i < starts; i++) {
      await Bun.sleep(2_000);
      await rig.killGateway();
      await rig.startGateway();
      const startedMs = Date.now();
      await until(
        60_000,
        "the event is at the hub",
        async () => (await lastStartMs(rig)) > startedMs - 1_000,
      );
      tookMs.push((await lastStartMs(rig)) - startedMs);
    }
    const { opened } = rig.proxy;
    await Bun.sleep(context.times(12_000, 600_000));
    const sessions = rig.proxy.opened - opened;
    await rig.load(false);
    Object.assign(rig.proxy.up, { latencyMs: 0, bytesPerS: 0 });
    Object.assign(rig.proxy.down, { latencyMs: 0, bytesPerS: 0 });
    const verdict = await rig.verdict(mark);
    const p95Ms = percentile(tookMs, 0.95);
    return {
      measured: `events there after ${secondsText(p95Ms)} (95 %, greeting included); ${sessions} sessions lost; ${verdictText(verdict)}`,
      ok: isWhole(verdict) && p95Ms <= ALARM_MS_MAX && sessions === 0,
    };
  },
};

const PORTAL = "<html><body>Please accept the terms of this network</body></html>";
const BACK_MS_MAX = 60_000;

/** The reason the gateway states on its own page, once it has one. */
async function reason(rig: Rig): Promise<string> {
  let text = "";
  await until(20_000, "the local page states a reason", async () => {
    const { hub } = await rig.local();
    text = hub.up ? "" : hub.reason;
    return text !== "" && !/^not tried/i.test(text);
  });
  return text;
}

/** F23 */
export const wrongNetwork: FaultRow = {
  row: "F23",
  injected: "the hub's name does not resolve; then a captive portal answers every request with a page",
  criterion:
    "a stated reason on the local page; link up within 60 s after the network is right; all values once",
  lane: "wait",
  async run(context) {
    const rig = await context.rig();
    const mark = rig.mark();
    const env = rig.stack.options.gatewayEnv!;
    const right = env.MILLRACE_HUB_URL!;
    await rig.stopGateway();
    env.MILLRACE_HUB_URL = "https://hub.invalid";
    await rig.startGateway();
    const unnamed = await reason(rig);
    await rig.stopGateway();
    env.MILLRACE_HUB_URL = right;
    rig.proxy.portal = PORTAL;
    await rig.startGateway();
    const portal = await reason(rig);
    rig.proxy.portal = null;
    const backMs = await rig.linkUp(BACK_MS_MAX + 5_000);
    const verdict = await rig.verdict(mark);
    return {
      measured: `"${unnamed}"; "${portal}"; up again after ${secondsText(backMs)}; ${verdictText(verdict)}`,
      ok: isWhole(verdict) && backMs <= BACK_MS_MAX && unnamed !== "" && portal !== "",
    };
  },
};
