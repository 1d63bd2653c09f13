import {
  BUS_BANDS_MS,
  type BusConnection,
  type BusLevel,
  type BusUnit,
  type BusWindow,
} from "@millrace/contract/wire/bus";

export const WINDOW_WORDS: Record<BusWindow, string> = {
  quarter: "Last 15 min",
  start: "Since counting began",
};

export const LEVEL_WORDS: Record<BusLevel, string> = { fault: "Fault", warn: "Warning", hint: "Hint" };

export const shareWords = (share: number): string =>
  `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

export const msWords = (ms: number | null): string =>
  ms === null ? "—" : `${ms < 10 ? ms.toFixed(1) : Math.round(ms).toLocaleString("en-GB")} ms`;

/** The connection in one line. @param clock a moment as people read it */
export function lineWords(one: BusConnection, clock: (ms: number) => string): string {
  const parts = [
    one.linkState === "up" ? `Connected, bus time ${shareWords(one.busyShare)}` : one.reason,
    `since ${clock(one.fromMs)}: ${one.reconnects} reconnects, ${one.failedTries} failed attempts`,
  ];
  const { messages } = one;
  if (messages !== undefined) {
    const last = messages.lastMs === null ? "none yet" : `the last at ${clock(messages.lastMs)}`;
    parts.push(`${messages.count} messages, ${messages.unreadable} not readable, ${last}`);
  }
  return parts.join(" · ");
}

export function unitName({ unit, devices }: BusUnit): string {
  const names = devices.map(({ name }) => name).join(", ");
  if (unit === null) return names === "" ? "Asked by a test only" : names;
  return names === "" ? `Unit ${unit}, asked by a test only` : `Unit ${unit}: ${names}`;
}

/** Figures of a unit in the order they are looked for; those that are nought in a healthy plant only when they are not. */
export function unitFigures(unit: BusUnit): readonly (readonly [string, string])[] {
  const { requests, answers, exceptions, cycles, missed } = unit;
  const rare: readonly (readonly [string, number])[] = [
    ["Timeouts", unit.timeouts],
    ["Late answers", unit.late],
    ["Answers with other ids", unit.wrongIds],
    ["Answers that did not fit", unit.garbled],
    ["Asked again after a failure", unit.retries],
  ];
  return [
    ["Requests", requests.toLocaleString("en-GB")],
    ["Answered", requests === 0 ? "—" : shareWords(answers / requests)],
    ["Answer time p50 / p95 / longest", [unit.p50Ms, unit.p95Ms, unit.maxMs].map(msWords).join(" / ")],
    ["Bus time", shareWords(unit.busyShare)],
    ...(cycles + missed === 0 ? [] : [["Cycles missed", `${missed} of ${cycles + missed}`] as const]),
    ...rare.flatMap(([name, count]) => (count === 0 ? [] : [[name, count.toLocaleString("en-GB")] as const])),
    ...(exceptions.length === 0
      ? []
      : [
          ["Refusals by code", exceptions.map(({ code, count }) => `${code} × ${count}`).join(", ")] as const,
        ]),
  ];
}

/** How long answers took, in words for whoever does not see the bars. */
export function spreadWords(bands: readonly number[]): string {
  const ends = [...BUS_BANDS_MS.map((end) => `to ${end} ms`), "longer"];
  return bands.flatMap((count, at) => (count === 0 ? [] : [`${count} ${ends[at]}`])).join(", ");
}
