import type { LinkState } from "@millrace/contract/vocabulary/gateway";
import type { BusWindow } from "@millrace/contract/wire/bus";
import type { DeviceFacts, LineFacts, UnitFacts } from "../driver/doctor.ts";
import { share } from "../driver/doctor.ts";
import type { Unit } from "../driver/meter.ts";
import { BREAKER } from "../supervisor/decide.ts";
import type { Link } from "../supervisor/link.ts";
import type { Member } from "../supervisor/member.ts";
import type { Chart } from "./chart.ts";
import { UnitTally } from "./tallies.ts";

/** A unit with what was counted of it, for the report. */
export interface Measured extends UnitFacts {
  tally: UnitTally;
}

export interface MeasuredLine extends LineFacts {
  units: readonly Measured[];
}

/** What the doctor judges by, from what a connection shows. @param monoMs of this moment, for the cycles of the devices */
export function factsOf(chart: Chart, window: BusWindow, monoMs: number): MeasuredLine {
  const { figures, link, failure, members, driver } = chart;
  const { line, spanMs } = figures;
  const busyShare = share(line.busyMs, spanMs);
  const state = stateOf(link);
  const cause = link.at === "waiting" || link.at === "refused" ? link.cause : null;
  return {
    driver: driver.kind,
    settings: (members[0]?.settings ?? {}) as Record<string, unknown>,
    settingNames: Object.keys((driver.settings as { properties?: object }).properties ?? {}),
    link: {
      state,
      code: cause?.code ?? "",
      message: cause?.message ?? "",
      // While it tries again, what it failed of last is still the trouble.
      context: cause?.context ?? (link.at === "opening" ? failure?.context : undefined) ?? {},
    },
    lostBy: failure?.message ?? "",
    spanMs,
    losses: line.losses,
    failedTries: line.failedTries,
    silences: line.silences,
    busyShare,
    messages: line.messages,
    unreadable: line.unreadable,
    heardAgoMs: figures.heardAgoMs,
    byMessages: driver.byMessages === true,
    note: chart.note,
    units: unitsOf(chart, window, monoMs),
    probeMs: members.length > 1 ? BREAKER.capSharedMs : BREAKER.capAloneMs,
    learned: chart.learned,
    figures: chart.session,
  };
}

/** The word the rest of the system has for it. */
export const stateOf = (link: Link): LinkState =>
  link.at === "up" ? "up" : link.at === "opening" ? "opening" : link.at === "waiting" ? "waiting" : "down";

function unitsOf({ driver, members, figures }: Chart, window: BusWindow, monoMs: number): Measured[] {
  const devices = Map.groupBy(members, (member) => driver.unitOf?.(member.settings as never) ?? null);
  const tallies = new Map<Unit, UnitTally>(figures.units.map(({ unit, tally }) => [unit, tally]));
  // A device that was never asked yet has its place as well.
  for (const unit of devices.keys()) if (!tallies.has(unit)) tallies.set(unit, new UnitTally());
  return [...tallies]
    .toSorted(([a], [b]) => (a ?? -1) - (b ?? -1))
    .map(([unit, tally]) => {
      const { times, busyMs, waitedMs } = tally;
      const own = (devices.get(unit) ?? []).map((member) => deviceOf(member, window, monoMs));
      // Requests that run side by side hold the line once.
      const busy = tallies.size === 1 ? figures.line.busyMs : busyMs;
      return {
        unit,
        devices: own,
        ...countsOf(tally),
        p50Ms: times.quantile(0.5),
        p95Ms: times.quantile(0.95),
        maxMs: times.quantile(0.5) === null ? null : times.maxMs,
        busyShare: share(busy, figures.spanMs),
        waitedShare: share(waitedMs, figures.spanMs),
        tally,
      };
    });
}

function countsOf(tally: UnitTally) {
  const { requests, answers, refusals, timeouts, garbled, wrongIds, late, lateMaxMs, retries, codes } = tally;
  return { requests, answers, refusals, timeouts, garbled, wrongIds, late, lateMaxMs, retries, codes };
}

function deviceOf({ deviceId, settings, patient }: Member, window: BusWindow, monoMs: number): DeviceFacts {
  const { timeoutMs } = (settings ?? {}) as { timeoutMs?: unknown };
  const { cycles = 0, missed = 0 } = patient?.cycles.sum(window, monoMs) ?? {};
  return {
    deviceId,
    name: patient?.name ?? "",
    scanMs: patient?.scanMs ?? 0,
    cycles,
    missed,
    timeoutMs: typeof timeoutMs === "number" ? timeoutMs : null,
  };
}
