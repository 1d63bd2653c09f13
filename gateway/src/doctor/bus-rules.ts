import {
  type DeviceFacts,
  type Finding,
  type LineFacts,
  msWords,
  percent,
  settingOf,
  share,
  type UnitFacts,
  unitWords,
} from "../driver/doctor.ts";
import { durationWords } from "../supervisor/words.ts";
import { DOCTOR } from "./thresholds.ts";

/** What the line has no time for. */
export function busFindings(facts: LineFacts): Finding[] {
  if (facts.spanMs < DOCTOR.busySpanMinMs) return [];
  const waited = waitedFor(facts);
  // Who waits for the dead has no time for the living: then that is the cause, and not the plan.
  return waited.length > 0 ? waited : [...full(facts), ...missed(facts)];
}

const answers = (unit: UnitFacts): boolean => unit.answers > 0;

/** Devices whose unit answers and that lose their deadlines all the same. */
function late(facts: LineFacts): DeviceFacts[] {
  return facts.units
    .filter(answers)
    .flatMap(({ devices }) => devices)
    .filter(
      ({ cycles, missed: count }) =>
        count >= DOCTOR.missedMin && share(count, cycles + count) >= DOCTOR.missedShare,
    );
}

function waitedFor(facts: LineFacts): Finding[] {
  const waited = facts.units.reduce((sum, unit) => sum + unit.waitedShare, 0);
  const others = facts.units.filter(answers);
  if (waited < DOCTOR.waitedShare || others.length === 0) return [];
  const most = facts.units.reduce((best, unit) => (unit.waitedShare > best.waitedShare ? unit : best));
  const timeoutMs = most.devices[0]?.timeoutMs ?? null;
  const p95Ms = Math.max(...others.map((unit) => unit.p95Ms ?? 0));
  const lower =
    timeoutMs === null || timeoutMs < 4 * p95Ms
      ? ""
      : ` Its \`timeoutMs\` is ${timeoutMs} where answers take ${msWords(p95Ms)} at p95: lower it, so that waiting costs less.`;
  const words = `Waiting for answers that do not come takes ${percent(waited)} of the bus time, most of it for ${unitWords([most])}. The others on this line have to wait too.${lower} Take what is out of use out of the plant, or put it in order.`;
  return [
    {
      kind: "bus.waiting",
      level: "warn",
      words,
      setting: lower === "" ? "" : "timeoutMs",
      units: most.unit === null ? [] : [most.unit],
      weight: waited,
    },
  ];
}

const scanOf = (devices: readonly DeviceFacts[]): string =>
  durationWords(Math.min(...devices.map(({ scanMs }) => scanMs)));

function full(facts: LineFacts): Finding[] {
  const missing = late(facts);
  const { busyShare } = facts;
  if (busyShare < (missing.length > 0 ? DOCTOR.busyWithMisses : DOCTOR.busyFull)) return [];
  const devices = missing.length > 0 ? missing : facts.units.flatMap((unit) => [...unit.devices]);
  if (devices.length === 0) return [];
  const lost = devices.reduce((sum, one) => sum + one.missed, 0);
  const due = devices.reduce((sum, one) => sum + one.missed + one.cycles, 0);
  const held =
    missing.length > 0
      ? `the scan of ${scanOf(devices)} cannot be held, ${percent(share(lost, due))} of the cycles are missed`
      : `the scan of ${scanOf(devices)} has no room left`;
  const gap = settingOf(facts, "requestGapMs");
  const gapMs = gap === "" ? 0 : Number(facts.settings[gap]);
  const blocks = settingOf(facts, "gapMax");
  const ways = [
    "slower scans for tags that allow it",
    ...(blocks === "" ? [] : [`a larger \`${blocks}\`, so that a request reads more`]),
    ...(gapMs > 0 ? [`a smaller \`${gap}\` (now ${gapMs} ms)`] : []),
    "fewer devices on this line",
  ];
  const words = `Bus time ${percent(busyShare)}: ${held}. What helps: ${ways.join(", ")}.`;
  const level = missing.length > 0 ? "fault" : "warn";
  return [{ kind: "bus.full", level, words, setting: "scanMs", units: [], weight: busyShare }];
}

/** The line is free, and cycles are missed all the same: one device needs longer than its scan. */
function missed(facts: LineFacts): Finding[] {
  if (facts.busyShare >= DOCTOR.busyWithMisses) return [];
  return late(facts).map((device): Finding => {
    const lost = share(device.missed, device.cycles + device.missed);
    const words = `${device.name} misses ${percent(lost)} of its cycles of ${durationWords(device.scanMs)} though the line is free (bus time ${percent(facts.busyShare)}): it was away for a while, or the gateway's machine is short of time.`;
    return { kind: "cycles.missed", level: "warn", words, setting: "scanMs", units: [], weight: lost };
  });
}
