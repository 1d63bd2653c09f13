import {
  capital,
  type DeviceFacts,
  type Finding,
  type LineFacts,
  msWords,
  percent,
  REQUESTS_MIN,
  settingOf,
  share,
  type UnitFacts,
  unitWords,
} from "../driver/doctor.ts";
import { durationWords } from "../supervisor/words.ts";
import { DOCTOR } from "./thresholds.ts";

/** Nobody said a word, not even one that did not fit or came late. */
const isMute = (unit: UnitFacts): boolean =>
  unit.requests >= REQUESTS_MIN &&
  unit.answers + unit.refusals + unit.garbled + unit.late + unit.wrongIds === 0 &&
  unit.timeouts >= REQUESTS_MIN;

const timeoutOf = (devices: readonly DeviceFacts[]): number | null => {
  const all = devices.flatMap(({ timeoutMs }) => (timeoutMs === null ? [] : [timeoutMs]));
  return all.length === 0 ? null : Math.min(...all);
};

/** A time-out people would write: 1, 1.5, 2, 3, 5 or 7 times a power of ten, and at least so much. */
export function roundTimeoutMs(ms: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, ms)));
  return [1, 1.5, 2, 3, 5, 7, 10].map((step) => step * power).find((step) => step >= ms) ?? ms;
}

export function answerFindings(facts: LineFacts): Finding[] {
  // A unit that only a test asked is nobody's trouble.
  const units = facts.units.filter(({ devices }) => devices.length > 0);
  const mute = units.filter(isMute);
  return [
    ...muteFindings(facts, units, mute),
    ...units.filter((unit) => !isMute(unit)).flatMap((unit) => spread(facts, unit)),
    ...garbled(facts, units),
    ...strays(units),
  ];
}

function muteFindings(facts: LineFacts, units: readonly UnitFacts[], mute: readonly UnitFacts[]): Finding[] {
  if (mute.length === 0) return [];
  const numbers = mute.flatMap(({ unit }) => (unit === null ? [] : [unit])).slice(0, 8);
  const who = capital(unitWords(mute));
  const verb = mute.length > 1 ? "answer" : "answers";
  const asked = mute.reduce((sum, { requests }) => sum + requests, 0);
  const until = ` Until then the gateway asks ${mute.length > 1 ? "each" : "it"} every ${durationWords(facts.probeMs)}.`;
  if (mute.length < units.length) {
    const words = `${who} ${verb} none of ${asked} requests while others on this line do: is ${mute.length > 1 ? "each" : "it"} powered and on the cable, is ${mute.length === 1 && numbers.length === 1 ? `its unit number ${numbers[0]}` : "its number right"}?${until}`;
    return [
      {
        kind: "unit.silent",
        level: "fault",
        words,
        setting: settingOf(facts, "unit"),
        units: numbers,
        weight: 1,
      },
    ];
  }
  const setting = settingOf(facts, "unit", "host", "endpoint");
  const unit = setting === "unit" ? ", is the unit number right" : "";
  const words = `The connection opens, and ${unitWords(mute)} ${verb} none of ${asked} requests: is the device behind it powered and connected${unit}?${until}`;
  return [{ kind: "line.silent", level: "fault", words, setting, units: numbers, weight: 1 }];
}

/** Answers that come too late, nearly so, or not always. */
function spread(facts: LineFacts, unit: UnitFacts): Finding[] {
  const timeoutMs = timeoutOf(unit.devices);
  const measured = unit.answers + unit.refusals + unit.late;
  if (timeoutMs === null || measured === 0) return [];
  const p95Ms = unit.p95Ms ?? 0;
  const tight = measured >= DOCTOR.spreadAnswersMin && p95Ms >= DOCTOR.tightShare * timeoutMs;
  const units = unit.unit === null ? [] : [unit.unit];
  const lost = share(unit.timeouts, unit.requests);
  if (unit.late >= DOCTOR.lateMin || tight) {
    const slowest = Math.max(unit.lateMaxMs, p95Ms);
    const raised = roundTimeoutMs(
      Math.max(timeoutMs * DOCTOR.timeoutReserve, slowest * DOCTOR.timeoutReserve),
    );
    const times =
      unit.p95Ms === null
        ? `Every answer of ${unitWords([unit])} comes after the timeout of ${msWords(timeoutMs)}`
        : `Answers of ${unitWords([unit])} take ${msWords(p95Ms)} at p95 with a timeout of ${msWords(timeoutMs)}`;
    const late =
      unit.late === 0
        ? ""
        : `; ${unit.late} came after it was given up, the slowest after ${msWords(unit.lateMaxMs)}`;
    const words = `${times}${late}: raise \`timeoutMs\` to ${raised}.`;
    return [
      {
        kind: "timeout.tight",
        level: lost > 0.5 ? "fault" : "warn",
        words,
        setting: "timeoutMs",
        units,
        weight: Math.max(lost, 0.1),
      },
    ];
  }
  if (unit.timeouts < DOCTOR.lossyMin || lost < DOCTOR.lossyShare) return [];
  const setting = settingOf(facts, "requestGapMs");
  const gap =
    setting === ""
      ? ""
      : `, or a converter that drops requests which follow each other too quickly: raise \`${setting}\``;
  const words = `${percent(lost)} of the requests to ${unitWords([unit])} get no answer, while the others take ${msWords(p95Ms)} at p95. Not slowness then: a bad cable or termination, disturbance, a device that is busy${gap}.`;
  return [{ kind: "line.lossy", level: lost > 0.2 ? "fault" : "warn", words, setting, units, weight: lost }];
}

function garbled(facts: LineFacts, all: readonly UnitFacts[]): Finding[] {
  const units = all.filter((unit) => unit.garbled >= DOCTOR.garbledMin);
  if (units.length === 0) return [];
  const count = units.reduce((sum, one) => sum + one.garbled, 0);
  const requests = units.reduce((sum, one) => sum + one.requests, 0);
  const setting = settingOf(facts, "requestGapMs");
  const words = `${count} of ${requests} answers of ${unitWords(units)} did not fit their question: another program asks over the same line, two devices share a number, or a converter mixes answers up. No such answer became a value.${setting === "" ? "" : ` A longer \`${setting}\` helps slow converters.`}`;
  const weight = share(count, requests);
  const numbers = units.flatMap(({ unit }) => (unit === null ? [] : [unit])).slice(0, 8);
  return [
    {
      kind: "answers.garbled",
      level: weight > 0.2 ? "fault" : "warn",
      words,
      setting,
      units: numbers,
      weight,
    },
  ];
}

/** Answers to questions nobody asked; where all are like that, the protocol's own rule says more. */
function strays(all: readonly UnitFacts[]): Finding[] {
  const count = all.reduce((sum, one) => sum + one.wrongIds, 0);
  const requests = all.reduce((sum, one) => sum + one.requests, 0);
  if (count < DOCTOR.garbledMin || count >= requests / 2) return [];
  const words = `${count} answers came to questions nobody asked here: another program shares the converter, or it repeats old answers. None of them became a value.`;
  return [
    { kind: "answers.stray", level: "warn", words, setting: "", units: [], weight: share(count, requests) },
  ];
}
