import { deviceProblems, profileProblems } from "@millrace/contract/driver/check";
import { secretNamesOf } from "@millrace/contract/driver/secret-settings";
import { effectiveValues, fillTag, hasParameters, mergeSettings } from "@millrace/contract/profile/parameter";
import type {
  ParameterValue,
  ParameterValues,
  ProfileParameters,
} from "@millrace/contract/vocabulary/parameter";
import type { ProfileTag } from "@millrace/contract/vocabulary/tag";

/** A parameter as it is being declared. */
export interface ParameterRow {
  name: string;
  /** As typed; empty for none: each device must say it. */
  standard: string;
  description: string;
}

const textOf = (value: ParameterValue | undefined): string => (value === undefined ? "" : String(value));

/**
 * What was typed: a number where it would be written the same again, so that 007 stays a text. What says what is there
 * already is kept as it is.
 */
function typed(text: string, old: ParameterValue | undefined, numbers: boolean): ParameterValue {
  if (old !== undefined && String(old) === text) return old;
  const number = Number(text);
  return numbers && Number.isFinite(number) && String(number) === text ? number : text;
}

export const rowsOf = (parameters: ProfileParameters = {}): ParameterRow[] =>
  Object.entries(parameters)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, one]) => ({
      name,
      standard: textOf(one.default),
      description: one.description ?? "",
    }));

/** Rows as a profile has them; of two with one name the last. */
export function parametersOf(
  rows: readonly ParameterRow[],
  before: ProfileParameters = {},
): ProfileParameters {
  return Object.fromEntries(
    rows.map(({ name, standard, description }) => {
      const text = standard.trim();
      const old = before[name]?.default;
      return [
        name.trim(),
        {
          ...(text === "" ? {} : { default: typed(text, old, true) }),
          ...(description.trim() === "" ? {} : { description: description.trim() }),
        },
      ];
    }),
  );
}

/** Names that stand in more than one row. */
export function doubledNames(rows: readonly ParameterRow[]): Set<string> {
  const names = rows.map(({ name }) => name.trim());
  return new Set(names.filter((name, i) => names.indexOf(name) !== i));
}

export const valueTexts = (values: ParameterValues = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, textOf(value)]));

/** What was typed for a device, by the kinds of the profile's defaults. What nobody declares is kept, to be refused. */
export function valuesOf(
  texts: Readonly<Record<string, string>>,
  declared: ProfileParameters = {},
  before: ParameterValues = {},
): ParameterValues {
  return Object.fromEntries(
    Object.entries(texts).flatMap(([name, text]) => {
      const value = text.trim();
      const numbers = typeof declared[name]?.default !== "string";
      return value === "" ? [] : [[name, typed(value, before[name], numbers)]];
    }),
  );
}

interface Described {
  driver: string;
  settings: Record<string, unknown>;
  parameters?: ProfileParameters;
  tags: readonly ProfileTag[];
}
interface Own {
  settings: Record<string, unknown>;
  parameters?: ParameterValues;
}

/**
 * What a gateway would read of a device while both are still being described: its settings over the profile's, its
 * values in the tags. Not whole where something is still wrong; then nothing is filled in.
 */
export function asRead(
  profile: Described,
  device: Own,
): { whole: boolean; settings: Record<string, unknown>; tags: readonly ProfileTag[] } {
  const { parameters } = profile;
  const plain = { settings: { ...profile.settings, ...device.settings }, tags: profile.tags };
  if (!hasParameters(parameters)) return { whole: true, ...plain };
  const own = device.parameters ?? {};
  const wrong = profileProblems(profile).length + deviceProblems(profile, device.settings, own).length;
  if (wrong > 0) return { whole: false, ...plain };
  const values = effectiveValues(parameters, own);
  // A brace in a password that was typed just now is a letter.
  const secret = secretNamesOf(profile.driver);
  const [secrets, open] = [true, false].map((hidden) =>
    Object.fromEntries(Object.entries(profile.settings).filter(([name]) => secret.has(name) === hidden)),
  ) as [Record<string, unknown>, Record<string, unknown>];
  return {
    whole: true,
    settings: { ...secrets, ...mergeSettings({ settings: open, parameters }, device) },
    tags: profile.tags.map((tag) => fillTag(tag, values)),
  };
}
