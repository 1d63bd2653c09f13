import type { Fault } from "./plan.ts";
import type { Site } from "./site.ts";

/** How each kind of trouble happens once. What lasts ends by itself, or when the world heals. */
export const TROUBLE: Record<Fault, (site: Site) => void> = {
  gatewayKill(site) {
    const { chance } = site;
    if (chance.hits(0.3)) site.killGateway();
    // Most deaths that teach anything happen inside a change of the disk.
    else return site.killAtChange(chance.whole(1, 40));
    lasting(site, 100, 90_000, () => site.startGateway());
  },
  hubKill(site) {
    site.killHub();
    lasting(site, 100, 60_000, () => site.startHub());
  },
  databaseTrouble(site) {
    site.database.trouble.failShare = site.chance.between(0.05, 0.5);
    lasting(site, 1_000, 30_000, () => {
      site.database.trouble.failShare = 0;
    });
  },
  databaseAway(site) {
    site.database.trouble.isDown = true;
    lasting(site, 100, 60_000, () => {
      site.database.trouble.isDown = false;
    });
  },
  slowCommits(site) {
    site.database.trouble.latencyMs.max = site.chance.magnitude(50, 5_000);
    lasting(site, 1_000, 60_000, () => {
      site.database.trouble.latencyMs.max = 10;
    });
  },
  cut(site) {
    const { network, chance } = site;
    network.cut();
    if (chance.hits(0.3)) return;
    network.state.isDown = true;
    lasting(site, 100, 200_000, () => {
      network.state.isDown = false;
    });
  },
  halfOpen(site) {
    site.network.deafen("both");
  },
  oneWay(site) {
    site.network.deafen(site.chance.pick(["up", "down"]));
  },
  latency(site) {
    const { network, chance } = site;
    network.state.latencyMs = { min: 1, max: chance.magnitude(2, 5_000) };
    lasting(site, 1_000, 60_000, () => {
      network.state.latencyMs = { min: 1, max: 20 };
    });
  },
  ghosts(site) {
    site.network.ghostMs = site.chance.magnitude(100, 60_000);
    site.network.reset();
  },
  wireFlips(site) {
    site.network.state.bitFlipShare = site.chance.between(0.05, 0.6);
    lasting(site, 1_000, 40_000, () => {
      site.network.state.bitFlipShare = 0;
    });
  },
  slowDisk(site) {
    site.slowMs = site.chance.magnitude(5, 1_000);
    lasting(site, 1_000, 40_000, () => {
      site.slowMs = 2;
    });
  },
  fullDisk(site) {
    site.disk.fill();
    lasting(site, 1_000, 90_000, () => site.disk.relieve());
  },
  // These two hold all the time and need no moment.
  smallQuota() {},
  commandRepeats() {},
  diskFlips(site) {
    site.flipOnDisk();
  },
  clockSteps(site) {
    const { chance, wall } = site;
    wall.offsetMs += (chance.hits(0.5) ? -1 : 1) * chance.magnitude(1_000, 86_400_000);
  },
  noClock(site) {
    site.killGateway();
    site.loseClock();
    lasting(site, 100, 20_000, () => site.startGateway());
    lasting(site, 20_000, 90_000, () => site.findClock());
  },
  oldImage(site) {
    site.setBackGateway();
    lasting(site, 100, 20_000, () => site.startGateway());
  },
  hubRestore(site) {
    site.restoreHub();
    lasting(site, 100, 60_000, () => site.startHub());
  },
};

function lasting(site: Site, minMs: number, maxMs: number, end: () => void): void {
  site.world.after(site.chance.magnitude(minMs, maxMs), end);
}

/** The same old image put back twice brings its unsent data twice (`docs/delivery.md`): nothing in a frame tells. */
const TIMES_MAX: Partial<Record<Fault, number>> = { oldImage: 1 };

/** Plans every kind of trouble of this history; the moments are drawn beforehand, so that none depends on another. */
export function planTrouble(site: Site): void {
  const { plan, world } = site;
  for (const fault of plan.faults) {
    const chance = site.chance.fork(`moments of ${fault}`);
    let atMs = 0;
    for (let times = 0; times < (TIMES_MAX[fault] ?? Number.POSITIVE_INFINITY); times++) {
      atMs += -Math.log(1 - chance.next()) * plan.everyMs;
      if (atMs > plan.faultsMs) break;
      world.after(atMs, () => TROUBLE[fault](site));
    }
  }
}
