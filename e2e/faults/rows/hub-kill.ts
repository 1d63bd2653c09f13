import { join } from "node:path";
import { isWhole, verdictText } from "../ledger/compare.ts";
import { Rig, until } from "../rig.ts";
import { type FaultContext, type FaultRow, type Outcome, percentile, secondsText } from "../row.ts";

const SERVES_MS_MAX = 5_000;
/** More kills than this, and the gateway is told to try again sooner (`impatient.ts`). */
const PATIENT_KILLS_MAX = 50;
const IMPATIENT = `--preload=${join(import.meta.dir, "../impatient.ts")}`;

/**
 * Streams whose frames do not tile 1..mark: those in the journal, and those that left it for the history, of which the
 * proofs tell how many they were. Each frame of these rows has one number.
 */
export async function marksThatLie(rig: Rig): Promise<number> {
  const rows: { n: number }[] = await rig.sql`
    SELECT count(*)::int AS n FROM uplink_stream s LEFT JOIN LATERAL (
      SELECT coalesce(sum(covered), 0) AS covered, coalesce(max(top), 0) AS top, coalesce(min(low), 1) AS low FROM (
        SELECT last - first + 1 AS covered, last AS top, first AS low FROM journal j
        WHERE j.gateway_no = s.gateway_no AND j.epoch = s.epoch AND j.lane = s.lane AND j.seg = s.seg
        UNION ALL
        SELECT frames, last, first FROM frame_proof p
        WHERE p.gateway_no = s.gateway_no AND p.epoch = s.epoch AND p.lane = s.lane AND p.seg = s.seg) x) j ON true
    WHERE s.lane <> 'L' AND (j.covered <> s.last OR j.top <> s.last OR j.low <> 1)`;
  return rows[0]!.n;
}

/** When the hub is killed, as seen from the line. `after` swallows the acknowledgement, so only the mark tells. */
const MOMENTS = ["before", "in", "after"] as const;
type Moment = (typeof MOMENTS)[number];

function killAt(rig: Rig, moment: Moment, delayMs: number): Promise<void> {
  const { proxy } = rig;
  const hub = rig.stack.hub.process;
  return new Promise((done) => {
    const strike = () => {
      hub.kill("SIGKILL");
      done();
    };
    proxy.onUp = ({ binary }) => {
      if (!binary || moment === "after") return null;
      proxy.onUp = null;
      if (moment === "in") setTimeout(strike, delayMs);
      else strike();
      return moment === "before" ? [] : null;
    };
    proxy.onDown = ({ binary, payload }) => {
      if (binary || moment !== "after") return null;
      if (!new TextDecoder().decode(payload).includes('"type":"ack"')) return null;
      proxy.onDown = null;
      strike();
      return [];
    };
  });
}

/** F03 */
export const killHub: FaultRow = {
  row: "F03",
  injected: "kill -9 of the hub before, in and after the commit of an envelope",
  criterion:
    "serves within 5 s of its start; the marks equal the sum of the frames; all values at the hub once",
  lane: "work",
  async run(context) {
    const kills = context.times(3, 1_000);
    if (kills <= PATIENT_KILLS_MAX) return await killTimes(await context.rig(), kills, context);
    await using own = await Rig.start({ gatewayEnv: { BUN_OPTIONS: IMPATIENT } });
    return await killTimes(own, kills, context);
  },
};

async function killTimes(rig: Rig, kills: number, context: FaultContext): Promise<Outcome> {
  const mark = rig.mark();
  const startsMs: number[] = [];
  for (let i = 0; i < kills; i++) {
    await rig.linkUp();
    await killAt(rig, MOMENTS[i % MOMENTS.length]!, context.random() * 8);
    await rig.stack.hub.process.exited;
    rig.proxy.heal();
    const startedMs = performance.now();
    await rig.stack.startHub();
    await until(20_000, "the hub serves", async () => (await fetch(`${rig.stack.hubUrl}/readyz`)).ok, 25);
    startsMs.push(performance.now() - startedMs);
    if (i % 50 === 49) context.say(`${i + 1} kills`);
  }
  await rig.linkUp();
  const verdict = await rig.verdict(mark);
  const lies = await marksThatLie(rig);
  const slowestMs = percentile(startsMs, 1);
  return {
    measured: `${kills} kills: ${verdictText(verdict)}; serves after ${secondsText(slowestMs)} at most; ${lies} marks wrong`,
    ok: isWhole(verdict) && lies === 0 && slowestMs <= SERVES_MS_MAX,
  };
}
