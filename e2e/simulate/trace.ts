import { Site } from "./site.ts";
import { play } from "./history.ts";
import { GatewayDisk } from "./gateway/disk.ts";
import { readFrame } from "@millrace/contract/wire/frame";
import type { Fault } from "./plan.ts";
let site: Site | null = null;
const start = Site.prototype.start;
const log = (...a: unknown[]) => console.log((site!.world.nowMs / 1000).toFixed(2), ...a);
Site.prototype.start = function () {
  site = this;
  const says = this.oracle.says.bind(this.oracle);
  this.oracle.says = (m, e) => { if (m.type !== "hb" && m.type !== "challenge") log("hub says", JSON.stringify(m).slice(0, 220)); says(m, e); };
  const take = this.oracle.hubView.take.bind(this.oracle.hubView);
  this.oracle.hubView.take = (e, k, f) => { log("  commit", `${e}/${k.lane}/${k.seg}`, f.first, f.last, f.kind, f.n, f.cause); take(e, k, f); };
  const app = this.oracle.appended.bind(this.oracle);
  this.oracle.appended = (e, k, first, d) => { app(e, k, first, d); log("  append", `${e}/${k.lane}/${k.seg}`, first, d.map((x) => `${x.kind}${x.n}`).join(","), this.oracle.catalogue.under(e, k, first).join(",").slice(0, 60)); };
  const w = (this.disk as unknown as { watch: Record<string, (...a: never[]) => void> }).watch;
  for (const op of ["before"]) { const o = w[op]!; w[op] = ((n: string) => { if (!["append", "evict", "markSent"].includes(n)) log("  disk", n); (o as (n: string) => void)(n); }) as never; }
  for (const m of ["killGateway", "startGateway", "killHub", "startHub", "setBackGateway", "restoreHub", "flipOnDisk", "loseClock", "findClock"] as const) {
    const o = this[m].bind(this) as () => void; (this as unknown as Record<string, unknown>)[m] = () => { log("**", m); o(); };
  }
  start.call(this);
};
const o = play(Number(process.argv[2]), new Set((process.argv[3] ?? "").split(",").filter(Boolean)) as Set<Fault>);
console.log(o.failure);
void readFrame; void GatewayDisk;
