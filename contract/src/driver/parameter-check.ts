import {
  effectiveValues,
  fillSetting,
  hasParameters,
  TEMPLATED,
  TEMPLATED_MEMBERS,
} from "../profile/parameter.ts";
import { fillTemplate, readTemplate } from "../profile/template.ts";
import {
  PARAMETER_NAME,
  PARAMETERS,
  type ParameterValues,
  type ProfileParameters,
} from "../vocabulary/parameter.ts";
import type { ProfileTag } from "../vocabulary/tag.ts";
import type { DriverProblem } from "./check.ts";

const listed = (parameters: ProfileParameters): string => {
  const names = Object.keys(parameters).sort();
  return names.length === 0 ? "the profile declares none" : `declared are ${names.join(", ")}`;
};

/** What is wrong with the names a profile declares. */
export function declaredProblems(parameters: ProfileParameters): DriverProblem[] {
  const names = Object.keys(parameters);
  const problems: DriverProblem[] = names
    .filter((name) => !PARAMETER_NAME.test(name) || name.length > PARAMETERS.nameCharactersMax)
    .map((name) => ({
      at: ["parameters", name],
      message: `"${name.slice(0, PARAMETERS.nameCharactersMax)}" is no name of a parameter: letters and digits, beginning with a letter, at most ${PARAMETERS.nameCharactersMax}.`,
    }));
  if (names.length > PARAMETERS.countMax) {
    const message = `the profile declares ${names.length} parameters, it may ${PARAMETERS.countMax}.`;
    problems.push({ at: ["parameters"], message });
  }
  return problems;
}

/** What is wrong with a text whatever the values: a brace too few, or a parameter nobody declared. Null for nothing. */
export function templateProblem(text: string, sums: boolean, parameters: ProfileParameters): string | null {
  const read = readTemplate(text, { sums });
  if (!read.ok) return read.message;
  const unknown = read.template.names.find((name) => !Object.hasOwn(parameters, name));
  return unknown === undefined ? null : `there is no parameter "${unknown}"; ${listed(parameters)}.`;
}

/** Problems of units and descriptions; addresses are judged with their driver. */
export function wordProblems(tags: readonly ProfileTag[], parameters: ProfileParameters): DriverProblem[] {
  return tags.flatMap((tag, i) =>
    (["unit", "description"] as const).flatMap((member) => {
      const message = templateProblem(tag[member] ?? "", TEMPLATED[member].sums, parameters);
      return message === null ? [] : [{ at: ["tags", i, member], message }];
    }),
  );
}

/** Settings of a profile as far as values are known. */
export interface KnownSettings {
  settings: Record<string, unknown>;
  /** Settings that were filled, and by which parameter. */
  filledBy: Map<string, string>;
  /** Settings that wait for a value, and of which parameter. */
  waiting: Map<string, string>;
  /** Settings that are no template. */
  problems: DriverProblem[];
}

/** @param secret names of settings that are no templates: a brace in a password is a letter */
export function knownSettings(
  settings: Record<string, unknown>,
  parameters: ProfileParameters | undefined,
  values: ParameterValues,
  secret: ReadonlySet<string>,
): KnownSettings {
  const known: KnownSettings = { settings: {}, filledBy: new Map(), waiting: new Map(), problems: [] };
  for (const [name, value] of Object.entries(settings)) {
    const plain = !hasParameters(parameters) || secret.has(name);
    if (plain || typeof value !== "string" || !value.includes("{")) {
      known.settings[name] = value;
      continue;
    }
    const message = templateProblem(value, false, parameters);
    if (message !== null) {
      known.problems.push({ at: ["settings", name], message: `setting "${name}": ${message}` });
      continue;
    }
    const read = readTemplate(value, { sums: false });
    const names = read.ok ? read.template.names : [];
    const missing = names.find((one) => !Object.hasOwn(values, one));
    if (missing !== undefined) known.waiting.set(name, missing);
    else {
      known.settings[name] = fillSetting(value, values);
      if (names[0] !== undefined) known.filledBy.set(name, names[0]);
    }
  }
  return known;
}

/** What is wrong with a device's values, before anything is filled: some nobody declared, some that are missing. */
export function valueProblems(parameters: ProfileParameters, values: ParameterValues): DriverProblem[] {
  const undeclared = Object.keys(values).filter((name) => !Object.hasOwn(parameters, name));
  const effective = effectiveValues(parameters, values);
  const missing = Object.keys(parameters).filter((name) => !Object.hasOwn(effective, name));
  return [
    ...undeclared.map((name) => ({
      at: ["parameters", name],
      message: `there is no parameter "${name}"; ${listed(parameters)}.`,
    })),
    ...missing.map((name) => ({
      at: ["parameters", name],
      message: `the parameter "${name}" needs a value: it has no default in the profile.`,
    })),
  ];
}

const LENGTHS = { address: 500, unit: 32, description: 500 } as const satisfies Record<
  (typeof TEMPLATED_MEMBERS)[number],
  number
>;

/** What is wrong with one filled member of a tag, and by which parameter; null for nothing. */
function filledProblem(
  tag: ProfileTag,
  member: (typeof TEMPLATED_MEMBERS)[number],
  values: ParameterValues,
  judge: (address: string, dataType: ProfileTag["dataType"]) => string | null,
): { name: string; message: string } | null {
  const text = tag[member] ?? "";
  if (!text.includes("{")) return null;
  const read = readTemplate(text, TEMPLATED[member]);
  const [name] = read.ok ? read.template.names : [];
  if (!read.ok || name === undefined) return null;
  const filled = fillTemplate(read.template, values);
  if (!filled.ok)
    return { name: filled.name, message: `${member} ${JSON.stringify(text)}: ${filled.message}` };
  const max = LENGTHS[member];
  if (filled.text.length > max)
    return { name, message: `${member} of ${filled.text.length} characters, at most ${max} may be.` };
  const message = member === "address" ? judge(filled.text, tag.dataType) : null;
  return message === null ? null : { name, message };
}

/** What the tags of a profile have against a device's values: one problem for each parameter, however many tags. */
export function filledProblems(
  tags: readonly ProfileTag[],
  values: ParameterValues,
  judge: (address: string, dataType: ProfileTag["dataType"]) => string | null,
): DriverProblem[] {
  const first = new Map<string, { message: string; count: number }>();
  for (const tag of tags) {
    for (const member of TEMPLATED_MEMBERS) {
      const found = filledProblem(tag, member, values, judge);
      if (found === null) continue;
      const there = first.get(found.name);
      if (there === undefined)
        first.set(found.name, { message: `tag "${tag.name}": ${found.message}`, count: 1 });
      else there.count += 1;
    }
  }
  return [...first].map(([name, { message, count }]) => ({
    at: ["parameters", name],
    message: count === 1 ? message : `${message} And ${count - 1} more like it.`,
  }));
}
