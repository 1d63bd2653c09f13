import { play } from "./history.ts";
import type { Fault } from "./plan.ts";

const from = Number(process.argv[2] ?? 1),
  n = Number(process.argv[3] ?? 20);
const without = new Set((process.argv[4] ?? "").split(",").filter(Boolean)) as Set<Fault>;
const t = performance.now();
let virt = 0,
  samples = 0,
  events = 0;
const fails = new Map<string, number>();
for (let seed = from; seed < from + n; seed++) {
  const o = play(seed, without);
  virt += o.virtualMs;
  samples += o.samples;
  events += o.events;
  if (o.failure) {
    const k = o.failure.invariant;
    fails.set(k, (fails.get(k) ?? 0) + 1);
    console.log(
      seed,
      o.failure.invariant,
      o.failure.atMs,
      o.failure.message.split("\n")[0].slice(0, Number(process.env.LEN ?? 200)),
      [...o.plan.faults].join(","),
      o.plan.mode,
      o.plan.ackedKeepMs,
    );
  }
}
const s = (performance.now() - t) / 1000;
console.log(
  `${n} seeds ${s.toFixed(1)} s, ${(n / s).toFixed(1)}/s, ${(virt / n / 60000).toFixed(1)} virtual min, ${(samples / n) | 0} samples, ${(events / n) | 0} events`,
  Object.fromEntries(fails),
);
