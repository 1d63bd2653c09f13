import { isWhole, verdictText } from "../ledger/compare.ts";
import { UNSEALED_MS_MAX } from "../rig.ts";
import { type FaultRow, percentile, secondsText } from "../row.ts";

const POLLING_MS_MAX = 5_000;

/** F01: the gateway dies at random moments, most of them inside a commit of its buffer. */
export const killInCommit: FaultRow = {
  row: "F01",
  injected: "kill -9 of the gateway at random moments under load",
  criterion: `all values at the hub once, but those of the last ${UNSEALED_MS_MAX} ms before a kill; polling again within 5 s`,
  lane: "work",
  async run(context) {
    const rig = await context.rig();
    const kills = context.times(5, 1_000);
    const mark = rig.mark();
    const startsMs: number[] = [];
    await rig.load(true);
    for (let i = 0; i < kills; i++) {
      await Bun.sleep(400 + context.random() * 800);
      await rig.killGateway();
      startsMs.push(await rig.startGateway());
      if (i % 50 === 49) context.say(`${i + 1} kills`);
    }
    await rig.load(false);
    const verdict = await rig.verdict(mark);
    const slowestMs = percentile(startsMs, 1);
    return {
      measured: `${kills} kills: ${verdictText(verdict)}; polling again after ${secondsText(slowestMs)} at most`,
      ok: isWhole(verdict) && slowestMs <= POLLING_MS_MAX,
    };
  },
};

/** F02: the hub has acknowledged, the gateway dies before it can note or delete anything. */
export const killAfterAck: FaultRow = {
  row: "F02",
  injected: "kill -9 of the gateway in the moment an acknowledgement passes, half of them swallowed",
  criterion: "frames sent again change nothing: all values at the hub once",
  lane: "work",
  async run(context) {
    const rig = await context.rig();
    const kills = context.times(4, 200);
    const mark = rig.mark();
    for (let i = 0; i < kills; i++) {
      await rig.linkUp();
      await Bun.sleep(context.random() * 400);
      const swallow = i % 2 === 1;
      await new Promise<void>((acked) => {
        rig.proxy.onDown = ({ binary, payload }) => {
          if (binary || !new TextDecoder().decode(payload).includes('"type":"ack"')) return null;
          rig.endsMs.push(Date.now());
          rig.stack.gateway.process.kill("SIGKILL");
          rig.proxy.onDown = null;
          acked();
          return swallow ? [] : null;
        };
      });
      await rig.stack.gateway.process.exited;
      await rig.startGateway();
    }
    const verdict = await rig.verdict(mark);
    return { measured: `${kills} kills: ${verdictText(verdict)}`, ok: isWhole(verdict) };
  },
};
