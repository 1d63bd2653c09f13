import type { Clock } from "@millrace/contract/std/clock";
import type { BusConnection, BusFinding, BusReport, BusUnit, BusWindow } from "@millrace/contract/wire/bus";
import { LIMITS } from "@millrace/contract/wire/limits";
import type { Connection } from "../supervisor/connection.ts";
import { diagnose } from "./diagnose.ts";
import { factsOf, type Measured, type MeasuredLine } from "./facts.ts";

/** Findings of all connections together, so that a report of the worst plant fits into one message; each keeps its first. */
const FINDINGS_SUM_MAX = 200;

export interface ReportInput {
  clock: Clock;
  /** Those devices of the running configuration use. */
  connections: readonly Connection[];
  window: BusWindow;
  /** Only the connection of this device. */
  deviceId?: string | undefined;
}

/** What the bus doctor says of the connections now. Bounded: the most urgent ones come first, and what is left out is counted. */
export function busReport({ clock, connections, window, deviceId }: ReportInput): BusReport {
  const monoMs = clock.monoMs();
  const all = connections
    .map((connection) => connection.chart(window))
    .filter(({ members }) => deviceId === undefined || members.some((one) => one.deviceId === deviceId))
    .map((chart) => {
      const facts = factsOf(chart, window, monoMs);
      return { chart, facts, findings: diagnose(facts, chart.diagnose) };
    })
    .toSorted((a, b) => urgency(a.findings) - urgency(b.findings) || (a.chart.key < b.chart.key ? -1 : 1));
  const room = { units: LIMITS.busUnitsMax as number, findings: FINDINGS_SUM_MAX };
  const shown = all.slice(0, LIMITS.busConnectionsMax).map(({ chart, facts, findings }): BusConnection => {
    const units = facts.units.slice(0, room.units);
    room.units -= units.length;
    const told = findings.slice(0, Math.max(1, room.findings));
    room.findings -= told.length;
    const { state, code } = facts.link;
    return {
      endpoint: chart.key.slice(0, 600),
      driver: facts.driver,
      linkState: state,
      code,
      reason: chart.reason.slice(0, 500),
      fromMs: chart.figures.fromMs,
      countedSinceMs: chart.figures.countedSinceMs,
      reconnects: Math.max(0, chart.figures.line.losses + chart.figures.line.silences),
      failedTries: facts.failedTries,
      busyShare: facts.busyShare,
      ...(facts.byMessages ? { messages: messagesOf(facts, clock.nowMs()) } : {}),
      units: units.map(unitOf),
      unitsLeft: facts.units.length - units.length,
      findings: told,
    };
  });
  return { nowMs: clock.nowMs(), window, connections: shown, connectionsLeft: all.length - shown.length };
}

const messagesOf = ({ messages, unreadable, heardAgoMs }: MeasuredLine, nowMs: number) => ({
  count: messages,
  unreadable,
  lastMs: heardAgoMs === null ? null : nowMs - heardAgoMs,
});

/** Smaller is more urgent. */
function urgency(findings: readonly BusFinding[]): number {
  const worst = findings[0]?.level;
  return worst === "fault" ? 0 : worst === "warn" ? 1 : worst === "hint" ? 2 : 3;
}

function unitOf(unit: Measured): BusUnit {
  const { devices, requests, answers, timeouts, wrongIds, garbled, late, retries } = unit;
  const scans = devices.map(({ scanMs }) => scanMs);
  return {
    unit: unit.unit,
    devices: devices
      .slice(0, LIMITS.busNamesMax)
      .map(({ deviceId, name }) => ({ deviceId, name: name.slice(0, 200) })),
    scanMs: scans.length === 0 ? null : Math.round(Math.min(...scans)),
    cycles: devices.reduce((sum, one) => sum + one.cycles, 0),
    missed: devices.reduce((sum, one) => sum + one.missed, 0),
    requests,
    answers,
    timeouts,
    wrongIds,
    garbled,
    late,
    retries,
    exceptions: [...unit.codes]
      .map(([code, count]) => ({ code: code.slice(0, 64), count }))
      .toSorted((a, b) => b.count - a.count)
      .slice(0, LIMITS.busCodesMax),
    p50Ms: unit.p50Ms,
    p95Ms: unit.p95Ms,
    maxMs: unit.maxMs,
    bands: unit.tally.times.bands(),
    busyShare: unit.busyShare,
  };
}
