import { chanceOf } from "./chance.ts";
import { play } from "./history.ts";
import { drawPlan } from "./plan.ts";
import { Site } from "./site.ts";
import { planTrouble } from "./trouble.ts";

let last: Site | null = null;
const start = Site.prototype.start;
Site.prototype.start = function () {
  last = this;
  start.call(this);
};
void chanceOf;
void drawPlan;
void planTrouble;
for (const seed of process.argv.slice(2).map(Number)) {
  const o = play(seed, new Set(["oldImage"]));
  const streams = [...last!.disk.image!.streams].map(
    ([n, s]) => `${n}${s.open ? "" : "x"} n${s.next} a${s.acked} s${s.maxSent}`,
  );
  const marks = [...last!.database.state.marks].map(([n, m]) => `${n} ${m.last}${m.fenced ? "F" : ""}`);
  console.log(
    seed,
    o.failure?.invariant,
    o.failure?.message.split("\n")[0],
    "\n  gw:",
    streams.join("; "),
    "\n hub:",
    marks.join("; "),
  );
}
