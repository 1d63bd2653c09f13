import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Child, startProgram } from "../../stack/child.ts";
import { freePort } from "../../stack/free-port.ts";
import { isWhole, verdictText } from "../ledger/compare.ts";
import { copyGateway } from "../outbox-file.ts";
import { Rig, until } from "../rig.ts";
import { type FaultRow, secondsText } from "../row.ts";

const ALARM_MS_MAX = 5 * 60_000;

/** The source stands still until `done`: what was read by then has arrived, so that a disk may be thrown away. */
async function quiet(rig: Rig, done: () => Promise<void>): Promise<void> {
  process.kill(rig.ledger.pid, "SIGSTOP");
  try {
    await Bun.sleep(1_500);
    await done();
  } finally {
    // A read that was under way is answered now, to a gateway that is gone.
    rig.endsMs.push(Date.now());
    process.kill(rig.ledger.pid, "SIGCONT");
  }
}

/** F38 */
export const oldImage: FaultRow = {
  row: "F38",
  injected: "the gateway's disk is replaced by an older image of itself, from 5 s before",
  criterion: "a new epoch before any data; nothing eaten as duplicate, nothing doubled: all values once",
  lane: "wait",
  async run(context) {
    const rig = await context.rig();
    const times = context.times(1, 20);
    const mark = rig.mark();
    const folder = rig.stack.gatewayFolder;
    for (let i = 0; i < times; i++) {
      await rig.stopGateway();
      copyGateway(folder, `${folder}.image`);
      await rig.startGateway();
      await rig.linkUp();
      await Bun.sleep(5_000);
      await quiet(rig, async () => {
        await rig.stopGateway();
        rmSync(folder, { recursive: true });
        renameSync(`${folder}.image`, folder);
      });
      await rig.startGateway();
      await rig.linkUp();
      await Bun.sleep(1_500);
      // Three in five minutes would be taken for a clone.
      if (i + 1 < times) await Bun.sleep(150_000);
    }
    const verdict = await rig.verdict(mark);
    const events = await rig.stack.api.get<{ items: { code: string }[] }>("/events?limit=100");
    const renewed = events.items.filter(({ code }) => code === "epoch.renewed").length;
    return {
      measured: `${verdictText(verdict)}; ${renewed} renewed epochs told`,
      ok: isWhole(verdict) && renewed >= 1,
    };
  },
};

function startTwin(rig: Rig, folder: string): Child {
  return startProgram("twin", "gateway/src/main.ts", {
    logFolder: join(rig.folder, "log"),
    env: {
      MILLRACE_DATA: folder,
      MILLRACE_LOG_FORMAT: "json",
      MILLRACE_HUB_URL: rig.proxy.url,
      MILLRACE_LOCAL_PORT: String(freePort()),
    },
  });
}

/** F39 */
export const cloned: FaultRow = {
  row: "F39",
  injected: "a copy of the gateway's disk runs on a second machine",
  criterion: "the hub says so within 5 min and lets neither in",
  lane: "work",
  async run() {
    await using rig = await Rig.start();
    const { gatewayFolder } = rig.stack;
    await rig.stopGateway();
    const copy = `${gatewayFolder}.twin`;
    copyGateway(gatewayFolder, copy);
    await rig.startGateway();
    await rig.linkUp();
    const startedMs = performance.now();
    const twin = startTwin(rig, copy);
    try {
      await twin.event("gateway.ready");
      const doubted = async () => typeof (await rig.gateway()).cloned === "string";
      await until(ALARM_MS_MAX, "the hub takes the gateway for cloned", doubted, 500);
      const alarmMs = performance.now() - startedMs;
      await Bun.sleep(1_000);
      const { linkState } = await rig.gateway();
      return {
        measured: `named as cloned after ${secondsText(alarmMs)}; link ${linkState}`,
        ok: alarmMs <= ALARM_MS_MAX && linkState !== "up",
      };
    } finally {
      await twin.kill();
    }
  },
};

/** F40 */
export const hubRestored: FaultRow = {
  row: "F40",
  injected: "the hub's database is replaced by a backup from 6 s before",
  criterion: "the gateway brings again what the hub lost: all values at the hub once",
  lane: "wait",
  async run(context) {
    const rig = await context.rig();
    const mark = rig.mark();
    const data = join(rig.stack.hubFolder, "postgres", "data");
    const backup = `${data}.backup`;
    await rig.stack.hub.stop();
    // As a cold backup takes it, with owners and times.
    Bun.spawnSync(["cp", "-a", data, backup]);
    if (!existsSync(join(backup, "PG_VERSION"))) throw new Error("the backup could not be made");
    await rig.stack.startHub();
    await rig.linkUp();
    await Bun.sleep(5_000);
    await rig.stack.hub.stop();
    rmSync(data, { recursive: true });
    renameSync(backup, data);
    await rig.stack.startHub();
    await rig.linkUp();
    await rig.forgetSql();
    const verdict = await rig.verdict(mark);
    return { measured: verdictText(verdict), ok: isWhole(verdict) };
  },
};
