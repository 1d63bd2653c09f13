import { fullJitterMs, UPLINK_BACKOFF } from "@millrace/contract/std/backoff";
import type { SQL } from "bun";
import { isWhole, verdictText } from "../ledger/compare.ts";
import { type Rig, until } from "../rig.ts";
import { type FaultContext, type FaultRow, percentile, secondsText } from "../row.ts";
import { enrolSim, freshKey, SimGateway, type SimIdentity } from "../sim-gateway.ts";
import { quickCommits, slowCommits } from "../slow-commits.ts";

const ALL_MS_MAX = 60_000;
const START_SPREAD_MS = 5_000;
const API_MS_MAX = 1_000;
/** How long after a start the API is watched, at least: what a person at it would call "meanwhile". */
const API_WINDOW_MS = 15_000;
const CLOSED_MS_MAX = 5_000;
const SAMPLES_A_FRAME = 10;

/** Puts gateways with keys into the hub's database: enrolling a thousand is another test. */
async function insertGateways(sql: SQL, count: number, siteId: string): Promise<SimIdentity[]> {
  const gateways = Array.from({ length: count }, (_, i) => {
    const { key, publicKey, keyId } = freshKey();
    return { gatewayId: Bun.randomUUIDv7(), name: `Fleet ${i}`, key, publicKey, keyId, epoch: 1 };
  });
  const rows = gateways.map(({ gatewayId, name, publicKey, keyId }) => ({
    id: gatewayId,
    name,
    key: Buffer.from(publicKey, "base64url").toString("hex"),
    key_id: keyId,
  }));
  await sql`
    INSERT INTO gateway (id, name, site_id, enrolment, public_key, key_id, epoch, fingerprint)
    SELECT x.id, x.name, ${siteId}::uuid, 'enrolled', decode(x.key, 'hex'), x.key_id, 1, x.key_id
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) AS x(id uuid, name text, key text, key_id text)`;
  return gateways;
}

/** One gateway of the fleet: connects as a real one does, backs off, sends a frame every five seconds. */
class Member {
  readonly gateway: SimGateway;
  /** Times the hub itself said no, with its own word for it. */
  refusals: string[] = [];
  upMs: number | null = null;
  #stopped = false;

  constructor(
    hubUrl: string,
    identity: SimIdentity,
    private readonly random: () => number,
  ) {
    this.gateway = new SimGateway(hubUrl, identity);
  }

  /** @param spreadMs Machines that get their power back together are not up in the same millisecond. */
  async run(spreadMs: number): Promise<void> {
    await Bun.sleep(this.random() * spreadMs);
    for (let attempt = 0; !this.#stopped; ) {
      try {
        await this.gateway.connect();
        this.upMs = performance.now();
        attempt = 0;
        while (this.gateway.open && !this.#stopped) {
          if (this.gateway.unackedFrames < 4) this.gateway.sendSamples(SAMPLES_A_FRAME);
          this.gateway.raw(JSON.stringify({ type: "hb", wallMs: Date.now() }));
          await Bun.sleep(4_500 + this.random() * 1_000);
        }
      } catch {
        // Counted below; the next attempt follows.
      }
      this.upMs = null;
      const end = this.gateway.end;
      if (end !== null && !end.code.startsWith("closed")) this.refusals.push(end.code);
      const ownMs = 50 + fullJitterMs(UPLINK_BACKOFF, attempt++, this.random);
      await Bun.sleep(Math.max(ownMs, end?.retryAfterMs ?? 0));
    }
  }

  stop(): void {
    this.#stopped = true;
    this.gateway.close();
  }
}

/** Asks the API again and again until stopped; returns what each answer took. */
function watchApi(rig: Rig): () => number[] {
  const tookMs: number[] = [];
  const probe = new Worker(new URL("../api-probe.ts", import.meta.url).href);
  probe.onmessage = ({ data }: MessageEvent<number>) => void tookMs.push(data);
  const url = `${rig.stack.hubUrl}/api/v1/tags?deviceId=${rig.tag.deviceId}`;
  probe.postMessage({ url, apiKey: rig.stack.apiKey });
  return () => {
    probe.terminate();
    return tookMs;
  };
}

/** F34 */
export const herd: FaultRow = {
  row: "F34",
  injected: "1,000 simulated gateways start within 5 s; then the hub is killed and restarts under them",
  criterion:
    "all authenticated within 60 s each time; none refused twice; API p95 within 1 s over the 15 s from each start",
  lane: "alone",
  async run(context) {
    const rig = await context.rig();
    const { siteId } = await rig.gateway();
    const identities = await insertGateways(rig.sql, 1_000, siteId);
    const members = identities.map((identity) => new Member(rig.stack.hubUrl, identity, context.random));
    const allUp = () => members.every(({ upMs }) => upMs !== null);
    try {
      const stopFirst = watchApi(rig);
      for (const member of members) void member.run(START_SPREAD_MS);
      const firstMs = await until(ALL_MS_MAX, "all gateways are up", allUp);
      await Bun.sleep(Math.max(2_000, API_WINDOW_MS - firstMs));
      const firstApi = stopFirst();
      for (const member of members) member.refusals = [];
      await rig.stack.hub.kill();
      await until(10_000, "all gateways are down", () =>
        members.every(({ upMs }) => upMs === null || !allUp()),
      );
      await rig.stack.startHub();
      const stopSecond = watchApi(rig);
      const secondMs = await until(ALL_MS_MAX, "all gateways are up again", allUp);
      await Bun.sleep(Math.max(0, API_WINDOW_MS - secondMs));
      const secondApi = stopSecond();
      const apiMs = percentile([...firstApi, ...secondApi], 0.95);
      const twice = members.filter(({ refusals }) => refusals.length >= 2).length;
      return {
        measured: `first start ${secondsText(firstMs)}, after the hub's restart ${secondsText(secondMs)}; API p95 ${apiMs.toFixed(0)} ms; ${twice} refused twice`,
        ok: firstMs <= ALL_MS_MAX && secondMs <= ALL_MS_MAX && apiMs <= API_MS_MAX && twice === 0,
      };
    } finally {
      for (const member of members) member.stop();
      await rig.linkUp().catch(() => undefined);
    }
  },
};

/** Lets each gateway send four frames a second for a while; returns the 95th percentile of their acks. */
async function normalAcks(gateways: readonly SimGateway[], ms: number): Promise<number> {
  for (const gateway of gateways) gateway.ackMs.length = 0;
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs) {
    for (const gateway of gateways) gateway.sendSamples(100);
    await Bun.sleep(250);
  }
  await Bun.sleep(500);
  return percentile(
    gateways.flatMap(({ ackMs }) => ackMs),
    0.95,
  );
}

/** Sends 400 frames a second, as far as the credit goes. */
class Flood {
  frames = 0;
  #stopped = false;
  readonly #sending: Promise<void>;

  constructor(private readonly gateway: SimGateway) {
    this.#sending = this.#send();
  }

  async #send(): Promise<void> {
    const { gateway } = this;
    while (!this.#stopped) {
      const bytes = gateway.unackedFrames * 1_000;
      for (let i = 0; i < 8 && bytes < gateway.creditBytes; i++, this.frames++) gateway.sendSamples(100);
      await Bun.sleep(20);
    }
  }

  stop(): Promise<void> {
    this.#stopped = true;
    return this.#sending;
  }
}

const kib = (bytes: number): string => `${Math.round(bytes / 1_024)} KiB`;

/** F35 */
export const greedy: FaultRow = {
  row: "F35",
  injected:
    "one of eleven gateways sends a hundred times as many frames as each of the others, on a disk that takes 10 ms for each commit: first alone, then beside them, then alone again",
  criterion:
    "its credit shrinks beside the others and grows again; the others' acks take at most twice as long (95 %), or 50 ms; the ledger's values once",
  lane: "alone",
  async run(context) {
    const rig = await context.rig();
    const { siteId } = await rig.gateway();
    const gateways: SimGateway[] = [];
    for (let i = 0; i <= 10; i++) {
      const identity = await enrolSim(rig.stack.api, `Greedy ${i}`, siteId);
      gateways.push(new SimGateway(rig.stack.hubUrl, identity));
    }
    await Promise.all(gateways.map((gateway) => gateway.connect()));
    const mark = rig.mark();
    // On a quick disk forty small commits a second are in nobody's way, and nothing has to shrink.
    await slowCommits(rig.sql, 0.01, "each");
    try {
      const { text, ok } = await floodBeside(gateways, context.times(5_000, 60_000));
      await quickCommits(rig.sql);
      const verdict = await rig.verdict(mark);
      return { measured: `${text}; ${verdictText(verdict)}`, ok: ok && isWhole(verdict) };
    } finally {
      for (const gateway of gateways) gateway.close();
      await quickCommits(rig.sql);
    }
  },
};

/** The first one floods: alone, beside the others, and alone again. */
async function floodBeside(gateways: readonly SimGateway[], ms: number) {
  const [one, ...others] = gateways as [SimGateway, ...SimGateway[]];
  const quietMs = await normalAcks(others, ms);
  const flooding = new Flood(one);
  await Bun.sleep(3_000);
  const before = one.creditBytes;
  const framesBefore = flooding.frames;
  const busyMs = await normalAcks(others, ms);
  const frames = flooding.frames - framesBefore;
  const beside = one.creditBytes;
  await Bun.sleep(5_000);
  const after = one.creditBytes;
  await flooding.stop();
  return {
    text: `credit of the one ${kib(before)} alone, ${kib(beside)} beside the others, ${kib(after)} alone again; acks of the others ${quietMs.toFixed(1)} ms, beside ${frames} frames in ${secondsText(ms)} of the one ${busyMs.toFixed(1)} ms (95 %)`,
    ok: busyMs <= Math.max(2 * quietMs, 50) && beside < before / 4 && after > 2 * beside,
  };
}

async function rowsOf(rig: Rig, gatewayId: string): Promise<number> {
  const rows: { n: number }[] = await rig.sql`
    SELECT ((SELECT count(*) FROM journal j WHERE j.gateway_no = g.gateway_no)
      + (SELECT coalesce(sum(frames), 0) FROM frame_proof p WHERE p.gateway_no = g.gateway_no))::int AS n
    FROM gateway g WHERE g.id = ${gatewayId}::uuid`;
  return rows[0]!.n;
}

/** F36 */
export const revoked: FaultRow = {
  row: "F36",
  injected: "a connected gateway is revoked and goes on sending and knocking",
  criterion:
    "session closed within 5 s; no row afterwards; told to stay away long enough for at most 12 tries an hour",
  lane: "work",
  async run(context: FaultContext) {
    const rig = await context.rig();
    const { siteId } = await rig.gateway();
    const identity = await enrolSim(rig.stack.api, `Revoked ${Date.now()}`, siteId);
    const gateway = new SimGateway(rig.stack.hubUrl, identity);
    await gateway.connect();
    gateway.sendSamples(10);
    await until(5_000, "the first frame is acknowledged", () => gateway.hwm === 1);
    await rig.stack.api.post(`/gateways/${identity.gatewayId}/revoke`, {});
    const closedMs = await until(30_000, "the session is closed", () => {
      gateway.sendSamples(1);
      return !gateway.open;
    });
    await Bun.sleep(500);
    const before = await rowsOf(rig, identity.gatewayId);
    let retryMs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 5; i++) {
      await gateway.connect().catch(() => undefined);
      gateway.sendSamples(10);
      retryMs = Math.min(retryMs, gateway.end?.retryAfterMs ?? 0);
    }
    await Bun.sleep(500);
    const after = (await rowsOf(rig, identity.gatewayId)) - before;
    const tries = 3_600_000 / Math.max(retryMs, 1);
    return {
      measured: `closed after ${secondsText(closedMs)}; ${after} rows of five more tries; told to wait ${secondsText(retryMs)}, ${tries.toFixed(0)} tries an hour`,
      ok: closedMs <= CLOSED_MS_MAX && after === 0 && tries <= 12,
    };
  },
};
