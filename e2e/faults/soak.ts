// Runs the whole system for a while under random faults and looks whether memory grows.
//   bun e2e/faults/soak.ts [minutes, default 30] [seed]
// Nothing is killed but PostgreSQL: the two processes whose memory is measured live from the first minute to the last.
import { readdirSync } from "node:fs";
import { isWhole, verdictText } from "./ledger/compare.ts";
import { Rig, residentBytes } from "./rig.ts";

const LOOK_MS = 5_000;
/** The first part is warm-up: buffers find their size, code is compiled. */
const WARM_UP_SHARE = 1 / 3;

interface Look {
  minute: number;
  gateway: number;
  hub: number;
  handles: number;
}

function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** One fault and its end; each leaves the line whole. */
const FAULTS: Record<string, (rig: Rig, random: () => number) => Promise<void>> = {
  cut: async ({ proxy }, random) => {
    proxy.cut(random() < 0.5 ? "reset" : "fin", true);
    await Bun.sleep(1_000 + random() * 15_000);
  },
  silence: async ({ proxy }, random) => {
    proxy.up.silent = true;
    proxy.down.silent = random() < 0.5;
    await Bun.sleep(5_000 + random() * 30_000);
  },
  slow: async ({ proxy }, random) => {
    proxy.up.bytesPerS = 8_000;
    proxy.up.latencyMs = 100 + random() * 700;
    await Bun.sleep(10_000 + random() * 20_000);
  },
  frozenHub: async ({ stack }, random) => {
    process.kill(stack.hub.pid, "SIGSTOP");
    await Bun.sleep(2_000 + random() * 30_000);
    process.kill(stack.hub.pid, "SIGCONT");
  },
  postgres: async ({ stack }) => {
    process.kill(stack.postgresPid(), "SIGQUIT");
    await Bun.sleep(5_000);
  },
  load: async (rig, random) => {
    await rig.load(true);
    await Bun.sleep(5_000 + random() * 20_000);
    await rig.load(false);
  },
};

/** Least-squares slope of `y` over minutes, per hour. */
function perHour(looks: readonly Look[], of: (look: Look) => number): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const minutes = looks.map(({ minute }) => minute);
  const [x, y] = [mean(minutes), mean(looks.map(of))];
  const over = looks.reduce((sum, look) => sum + (look.minute - x) * (of(look) - y), 0);
  const under = minutes.reduce((sum, minute) => sum + (minute - x) ** 2, 0);
  return (over / under) * 60;
}

async function soak(minutes: number, seed: number): Promise<boolean> {
  const random = seeded(seed);
  await using rig = await Rig.start();
  const mark = rig.mark();
  const beginMs = performance.now();
  const minuteNow = () => (performance.now() - beginMs) / 60_000;
  const looks: Look[] = [];
  let running = true;
  const watching = (async () => {
    while (running) {
      const { gateway, hub } = rig.stack;
      const handles =
        readdirSync(`/proc/${gateway.pid}/fd`).length + readdirSync(`/proc/${hub.pid}/fd`).length;
      looks.push({
        minute: minuteNow(),
        gateway: (await residentBytes(gateway.pid)) / 1e6,
        hub: (await residentBytes(hub.pid)) / 1e6,
        handles,
      });
      await Bun.sleep(LOOK_MS);
    }
  })();
  const counts: Record<string, number> = {};
  const names = Object.keys(FAULTS);
  while (minuteNow() < minutes) {
    const name = names[Math.floor(random() * names.length)]!;
    counts[name] = (counts[name] ?? 0) + 1;
    await FAULTS[name]!(rig, random).catch((thrown) => console.log(`${name}: ${thrown}`));
    rig.proxy.heal();
    await rig.linkUp(90_000);
    await Bun.sleep(random() * 10_000);
    const last = looks.at(-1)!;
    console.log(
      `${last.minute.toFixed(1)} min  ${name.padEnd(9)} gateway ${last.gateway.toFixed(0)} MB  hub ${last.hub.toFixed(0)} MB  ${last.handles} handles`,
    );
  }
  running = false;
  await watching;
  const verdict = await rig.verdict(mark, 120_000);
  const settled = looks.filter(({ minute }) => minute > minutes * WARM_UP_SHARE);
  console.log(`faults: ${JSON.stringify(counts)}`);
  for (const [name, of] of [
    ["gateway", (look: Look) => look.gateway],
    ["hub", (look: Look) => look.hub],
  ] as const) {
    const values = settled.map(of);
    console.log(
      `${name}: ${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)} MB after warm-up, slope ${perHour(settled, of).toFixed(2)} MB/h`,
    );
  }
  console.log(`handles: slope ${perHour(settled, ({ handles }) => handles).toFixed(2)} an hour`);
  console.log(verdictText(verdict));
  return isWhole(verdict);
}

const minutes = Number(process.argv[2] ?? 30);
const seed = Number(process.argv[3] ?? 1);
process.exit((await soak(minutes, seed)) ? 0 : 1);
