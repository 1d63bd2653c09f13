import {
  type Diagnose,
  type Finding,
  type LineFacts,
  share,
  type UnitFacts,
  unitWords,
} from "../../driver/doctor.ts";
import { serialFindings } from "./serial-doctor.ts";

/** Answers of another id than the question, and none of the right one: a converter that repeats no ids. */
const STRAYS_MIN = 3;
const STRAY_SHARE = 0.5;
/** Refusals in one window; a few come while a unit's limits are learnt. */
const REFUSALS_MIN = 2;
/** Refused addresses named in one sentence. */
const NAMED_MAX = 4;

/** What only Modbus can be wrong about. */
export const diagnose: Diagnose = (facts) => [
  ...idsNotEchoed(facts),
  ...serialFindings(facts),
  ...facts.units.filter(({ devices }) => devices.length > 0).flatMap((unit) => exceptions(facts, unit)),
];

function idsNotEchoed({ settings, units }: LineFacts): Finding[] {
  if (settings.idsNotEchoed === true) return [];
  const sum = (of: (unit: UnitFacts) => number) => units.reduce((all, unit) => all + of(unit), 0);
  const [strays, requests, answers] = [
    sum((unit) => unit.wrongIds),
    sum((unit) => unit.requests),
    sum((unit) => unit.answers),
  ];
  if (strays < STRAYS_MIN || strays < STRAY_SHARE * requests || answers > strays) return [];
  const words = `${strays} answers to ${requests} requests carry other ids than the questions: this converter does not repeat them. Switch \`idsNotEchoed\` on for every device behind it.`;
  return [{ kind: "ids.notEchoed", level: "fault", words, setting: "idsNotEchoed", units: [], weight: 1 }];
}

function exceptions(facts: LineFacts, unit: UnitFacts): Finding[] {
  const count = (...codes: number[]) =>
    codes.reduce((sum, code) => sum + (unit.codes.get(String(code)) ?? 0), 0);
  const make = (
    kind: string,
    level: Finding["level"],
    codes: number[],
    words: string,
    setting = "",
  ): Finding[] => {
    if (count(...codes) < REFUSALS_MIN) return [];
    const weight = share(count(...codes), unit.requests);
    const units = unit.unit === null ? [] : [unit.unit];
    return [{ kind, level, words, setting, units, weight }];
  };
  const who = unitWords([unit]);
  const often = (...codes: number[]) => `${count(...codes)} of ${unit.requests} requests`;
  const refused = named(facts, unit);
  return [
    ...make(
      "address.illegal",
      "warn",
      [1, 2, 3],
      `${who.replace("unit", "Unit")} refuses ${refused === "" ? often(1, 2, 3) : refused}. Compare the addresses with the manual: area (holding or input), base 0 or 1, and how much one request may read. Only these tags are bad; they are tried again every now and then.`,
      refused === "" ? "registersMax" : "",
    ),
    ...make(
      "device.failed",
      "fault",
      [4],
      `${who.replace("unit", "Unit")} reports a failure of its own (exception 4) at ${often(4)}: look at the device.`,
    ),
    ...make(
      "device.busy",
      "warn",
      [5, 6],
      `${who.replace("unit", "Unit")} says it is busy (exceptions 5 and 6) at ${often(5, 6)}: slower scans, or a longer \`requestGapMs\`.`,
      "requestGapMs",
    ),
    ...make(
      "unit.away",
      "fault",
      [10, 11],
      `The converter says that ${who} is away (exceptions 10 and 11) at ${often(10, 11)}: is the device powered, on the cable behind the converter, and its unit number ${unit.unit}?`,
      "unit",
    ),
  ];
}

/** The addresses this unit refused, in the words the session learnt. */
function named({ learned }: LineFacts, { unit }: UnitFacts): string {
  const start = `unit ${unit}: `;
  const all = learned
    .filter((fact) => fact.startsWith(start) && fact.includes(" is refused"))
    .map((fact) => fact.slice(start.length).replace(" is refused", ""));
  const rest = all.length > NAMED_MAX ? `; and ${all.length - NAMED_MAX} more` : "";
  return all.slice(-NAMED_MAX).join("; ") + rest;
}
