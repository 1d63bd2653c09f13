import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventRow } from "@millrace/contract/api/event";
import { freePort } from "../../stack/free-port.ts";
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
const NO_CONNECTION = "No connection to the hub:";

/** Starts the gateway with this address of its hub; returns the reason it states on its own page, once it has one. */
async function reasonWith(rig: Rig, hubUrl: string): Promise<string> {
  await rig.stopGateway();
  rig.stack.options.gatewayEnv!.MILLRACE_HUB_URL = hubUrl;
  await rig.startGateway();
  let text = "";
  await until(20_000, "the local page states a reason", async () => {
    const { hub } = await rig.local();
    text = hub.up ? "" : hub.reason;
    return text.startsWith(NO_CONNECTION);
  });
  return text.slice(NO_CONNECTION.length).trim();
}

/** A server with a certificate that nobody signed; null where `openssl` is missing. */
async function untrusted(): Promise<{ url: string; stop: () => void } | null> {
  if (Bun.which("openssl") === null) return null;
  const folder = mkdtempSync(join(tmpdir(), "millrace-tls-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const command = `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost -keyout ${key} -out ${cert}`;
  Bun.spawnSync(command.split(" "), { stderr: "ignore" });
  const tls = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(folder, { recursive: true, force: true });
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, tls, fetch: () => new Response(PORTAL) });
  return { url: `https://localhost:${server.port}`, stop: () => void server.stop(true) };
}

/** What the reason must name, by fault. */
const REASON: Record<string, RegExp> = {
  name: /knows the name hub\.invalid/,
  refused: /nothing listens at/,
  certificate: /certificate is signed by nobody/,
  portal: /not as a hub does/,
};

/** F23 */
export const wrongNetwork: FaultRow = {
  row: "F23",
  injected:
    "the hub's name does not resolve; its port is closed; its certificate is signed by nobody; a captive portal answers every request with a page",
  criterion:
    "the local page names each of them as what it is; link up within 60 s after the network is right; all values once",
  lane: "wait",
  async run(context) {
    const rig = await context.rig();
    const mark = rig.mark();
    const right = rig.stack.options.gatewayEnv!.MILLRACE_HUB_URL!;
    const stated: Record<string, string> = {};
    stated.name = await reasonWith(rig, "https://hub.invalid");
    stated.refused = await reasonWith(rig, `http://127.0.0.1:${freePort()}`);
    const server = await untrusted();
    if (server) stated.certificate = await reasonWith(rig, server.url);
    server?.stop();
    rig.proxy.portal = PORTAL;
    stated.portal = await reasonWith(rig, right);
    rig.proxy.portal = null;
    const backMs = await rig.linkUp(BACK_MS_MAX + 5_000);
    const verdict = await rig.verdict(mark);
    const named = Object.entries(stated).every(([fault, text]) => REASON[fault]!.test(text));
    return {
      measured: `${Object.values(stated)
        .map((text) => `"${text}"`)
        .join("; ")}; up again after ${secondsText(backMs)}; ${verdictText(verdict)}`,
      ok: isWhole(verdict) && backMs <= BACK_MS_MAX && named,
    };
  },
};
