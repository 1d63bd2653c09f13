import { SQL } from "bun";
import { isWhole, verdictText } from "../ledger/compare.ts";
import { type Rig, residentBytes, until } from "../rig.ts";
import { type FaultRow, percentile, secondsText } from "../row.ts";
import { quickCommits, slowCommits } from "../slow-commits.ts";
import { marksThatLie } from "./hub-kill.ts";

const BACK_MS_MAX = 30_000;
const HUB_BYTES_MAX = 512 * 1024 * 1024;

async function quarantined(rig: Rig): Promise<number> {
  const rows: { n: number }[] = await rig.sql`SELECT count(*)::int AS n FROM ingest_quarantine`;
  return rows[0]!.n;
}

const ready = (rig: Rig, msMax: number): Promise<number> =>
  until(msMax, "the hub has its database", async () => (await fetch(`${rig.stack.hubUrl}/readyz`)).ok, 50);

/** F05, as far as processes go: everything on the hub's machine is gone in the moment in which an ack leaves it. */
export const hubHostCut: FaultRow = {
  row: "F05",
  injected: "hub and PostgreSQL killed together in the moment in which an acknowledgement passes",
  criterion: "the marks after recovery are not below what was acknowledged; all values at the hub once",
  lane: "work",
  async run(context) {
    const rig = await context.rig();
    const cuts = context.times(2, 50);
    const mark = rig.mark();
    let missing = 0;
    for (let i = 0; i < cuts; i++) {
      await rig.linkUp();
      const acked = new Map<string, number>();
      await new Promise<void>((done) => {
        const untilMs = Date.now() + 500 + context.random() * 1_000;
        rig.proxy.onDown = ({ binary, payload }) => {
          const message = binary ? null : JSON.parse(new TextDecoder().decode(payload));
          if (message?.type !== "ack") return null;
          acked.set(`${message.lane}/${message.seg}`, message.hwm);
          if (Date.now() < untilMs) return null;
          rig.proxy.onDown = null;
          process.kill(rig.stack.postgresPid(), "SIGQUIT");
          rig.stack.hub.process.kill("SIGKILL");
          done();
          return null;
        };
      });
      await rig.stack.hub.process.exited;
      await rig.stack.startHub();
      missing += await acksMissing(rig, acked);
    }
    await rig.linkUp();
    const verdict = await rig.verdict(mark);
    return {
      measured: `${cuts} cuts: ${missing} acknowledged marks missing; ${verdictText(verdict)}`,
      ok: isWhole(verdict) && missing === 0,
    };
  },
};

/** Streams of the rig's gateway whose mark lies below what it was told. */
async function acksMissing(rig: Rig, acked: ReadonlyMap<string, number>): Promise<number> {
  const rows: { stream: string; last: string }[] = await rig.sql`
    SELECT s.lane || '/' || s.seg AS stream, s.last::text FROM uplink_stream s JOIN gateway g USING (gateway_no)
    WHERE g.id = ${rig.tag.gatewayId}::uuid AND s.epoch = g.epoch`;
  const marks = new Map(rows.map(({ stream, last }) => [stream, Number(last)]));
  return [...acked].filter(([stream, hwm]) => (marks.get(stream) ?? 0) < hwm).length;
}

/** F06 */
export const restartPostgres: FaultRow = {
  row: "F06",
  injected: "immediate shutdown of PostgreSQL (SIGQUIT, no checkpoint) under load",
  criterion: "gateways connected again within 30 s; nothing in quarantine; all values at the hub once",
  lane: "work",
  async run(context) {
    const rig = await context.rig();
    const times = context.times(2, 100);
    const mark = rig.mark();
    const before = await quarantined(rig);
    const backMs: number[] = [];
    await rig.load(true);
    for (let i = 0; i < times; i++) {
      await Bun.sleep(500 + context.random() * 1_000);
      process.kill(rig.stack.postgresPid(), "SIGQUIT");
      await Bun.sleep(100);
      backMs.push((await ready(rig, BACK_MS_MAX)) + (await rig.linkUp(BACK_MS_MAX)));
      if (i % 10 === 9) context.say(`${i + 1} restarts`);
    }
    await rig.load(false);
    const verdict = await rig.verdict(mark);
    const bad = (await quarantined(rig)) - before;
    const slowestMs = percentile(backMs, 1);
    return {
      measured: `${times} restarts: ${verdictText(verdict)}; back after ${secondsText(slowestMs)} at most; ${bad} in quarantine`,
      ok: isWhole(verdict) && bad === 0 && slowestMs <= BACK_MS_MAX,
    };
  },
};

/** F07, compressed in time. */
export const postgresDown: FaultRow = {
  row: "F07",
  injected:
    "PostgreSQL kept down (killed again at each start) under load; 10 s in a short run, 30 min in a long one",
  criterion:
    "hub below 512 MiB, and it gives no credit; afterwards the backlog drains at ten times the live rate or faster; all values once",
  lane: "work",
  async run(context) {
    const rig = await context.rig();
    const downMs = context.times(10_000, 1_800_000);
    const mark = rig.mark();
    await rig.load(true);
    await Bun.sleep(2_000);
    let memoryBytes = 0;
    let killed = 0;
    let lastPid = 0;
    let credits = 0;
    const endMs = Date.now() + downMs;
    // What was acknowledged just before may still be on its way.
    const fromMs = Date.now() + 500;
    rig.proxy.onDown = ({ binary, payload }) => {
      if (!binary && Date.now() > fromMs && new TextDecoder().decode(payload).includes('"creditBytes"'))
        credits++;
      return null;
    };
    while (Date.now() < endMs) {
      try {
        const pid = rig.stack.postgresPid();
        process.kill(pid, "SIGKILL");
        if (pid !== lastPid) killed++;
        lastPid = pid;
      } catch {
        // Dead already, or its file is not written yet.
      }
      memoryBytes = Math.max(memoryBytes, await residentBytes(rig.stack.hub.pid));
      await Bun.sleep(20);
    }
    rig.proxy.onDown = null;
    await ready(rig, BACK_MS_MAX);
    await rig.linkUp(BACK_MS_MAX);
    const behind = (await rig.local()).status.outbox.bytesUnsent;
    const drainMs = await until(
      downMs,
      "the backlog is gone",
      async () => (await rig.local()).status.outbox.framesUnsent <= 8,
      50,
    );
    await rig.load(false);
    const verdict = await rig.verdict(mark);
    const rate = downMs / Math.max(drainMs, 1);
    const mib = Math.round(memoryBytes / 1_048_576);
    return {
      measured: `${verdictText(verdict)}; hub at most ${mib} MiB; ${killed} starts killed, credit given ${credits} times meanwhile; ${Math.round(behind / 1_024)} KiB of backlog gone after ${secondsText(drainMs)}, ${rate.toFixed(0)} x the live rate`,
      ok: isWhole(verdict) && memoryBytes < HUB_BYTES_MAX && credits === 0 && rate >= 10,
    };
  },
};

/** F08 */
export const killBackend: FaultRow = {
  row: "F08",
  injected: "the backend that commits an envelope is terminated inside its COMMIT",
  criterion:
    "neither ack nor nack for that envelope; right state after the next welcome; all values at the hub once",
  lane: "work",
  async run(context) {
    const rig = await context.rig();
    const times = context.times(2, 100);
    const mark = rig.mark();
    let answered = 0;
    let killed = 0;
    const sql = new SQL({ url: rig.stack.databaseUrl(), adapter: "postgres", max: 1 });
    try {
      for (let i = 0; i < times; i++) {
        await rig.linkUp();
        await slowCommits(sql, 0.4, "inCommit");
        let pids: { killed: boolean }[] = [];
        await until(
          10_000,
          "a commit is under way",
          async () => {
            // From here to the welcome, the line tells whether the hub claims to know the outcome.
            let struck = false;
            rig.proxy.onDown = ({ binary, payload }) => {
              const text = binary ? "" : new TextDecoder().decode(payload);
              if (text.includes('"type":"welcome"')) rig.proxy.onDown = null;
              else if (struck && /"type":"n?ack"/.test(text)) answered++;
              return null;
            };
            pids = await sql`
            SELECT pg_terminate_backend(pid) AS killed FROM pg_stat_activity
            WHERE pid <> pg_backend_pid() AND state = 'active' AND wait_event = 'PgSleep'`;
            struck = pids.length > 0;
            return struck;
          },
          20,
        );
        killed += pids.filter((row) => row.killed).length;
        await quickCommits(sql);
        await Bun.sleep(500);
      }
    } finally {
      await quickCommits(sql).catch(() => undefined);
      await sql.close({ timeout: 1 });
      rig.proxy.heal();
    }
    await rig.linkUp();
    const verdict = await rig.verdict(mark);
    const lies = await marksThatLie(rig);
    return {
      measured: `${killed} backends: ${answered} answers about an unknown outcome; ${lies} marks wrong; ${verdictText(verdict)}`,
      ok: isWhole(verdict) && killed >= times && answered === 0 && lies === 0,
    };
  },
};
