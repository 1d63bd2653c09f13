import { assert } from "../std/assert.ts";
import type { ParameterValues, ProfileParameters } from "../vocabulary/parameter.ts";
import type { ProfileTag } from "../vocabulary/tag.ts";
import { fillTemplate, readTemplate } from "./template.ts";

/** Members of a tag that may hold parameters; sums stand in addresses only. */
export const TEMPLATED = {
  address: { sums: true },
  unit: { sums: false },
  description: { sums: false },
} as const;
export type TemplatedMember = keyof typeof TEMPLATED;
export const TEMPLATED_MEMBERS = Object.keys(TEMPLATED) as TemplatedMember[];

/**
 * Only a profile that declares parameters has them: everywhere else braces are letters like any other, as they were
 * before there were parameters.
 */
export const hasParameters = (parameters: ProfileParameters | undefined): parameters is ProfileParameters =>
  parameters !== undefined && Object.keys(parameters).length > 0;

/** What stands for each parameter of one device: its own value, else the default; without both it is not there. */
export function effectiveValues(parameters: ProfileParameters, values: ParameterValues): ParameterValues {
  const names = Object.keys(parameters).sort();
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = Object.hasOwn(values, name) ? values[name] : parameters[name]?.default;
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** The parameters that tags hold; what only settings hold makes no difference between the tags of two devices. */
export function tagParameters(tags: readonly ProfileTag[]): Set<string> {
  const names = new Set<string>();
  for (const tag of tags) {
    for (const member of TEMPLATED_MEMBERS) {
      const text = tag[member] ?? "";
      const read = text.includes("{") ? readTemplate(text, TEMPLATED[member]) : null;
      if (read?.ok) for (const name of read.template.names) names.add(name);
    }
  }
  return names;
}

/** Fills a text that was checked. */
function filled(text: string, values: ParameterValues, sums: boolean): string {
  if (!text.includes("{")) return text;
  const read = readTemplate(text, { sums });
  assert(read.ok, "templates were checked when the profile was saved");
  const result = fillTemplate(read.template, values);
  assert(result.ok, "values were checked when the device was saved");
  return result.text;
}

/** A tag with its parameters filled in. */
export function fillTag(tag: ProfileTag, values: ParameterValues): ProfileTag {
  const filledTag = { ...tag };
  for (const member of TEMPLATED_MEMBERS) {
    const text = tag[member];
    if (text !== undefined) filledTag[member] = filled(text, values, TEMPLATED[member].sums);
  }
  return filledTag;
}

/** A setting's text filled in. One that is nothing but a parameter takes its value as it is, so that numbers stay numbers. */
export function fillSetting(text: string, values: ParameterValues): unknown {
  const only = /^\{([A-Za-z][A-Za-z0-9]*)\}$/.exec(text)?.[1];
  const value = only !== undefined && Object.hasOwn(values, only) ? values[only] : undefined;
  return value ?? filled(text, values, false);
}

/** A profile's settings as one of its devices has them, before its own come over them. */
export function fillSettings(
  settings: Record<string, unknown>,
  parameters: ProfileParameters | undefined,
  values: ParameterValues,
): Record<string, unknown> {
  if (!hasParameters(parameters)) return settings;
  const effective = effectiveValues(parameters, values);
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      name,
      typeof value === "string" ? fillSetting(value, effective) : value,
    ]),
  );
}

/** Settings as a gateway gets them: the device's over the profile's, name by name. */
export const mergeSettings = (
  profile: { settings: Record<string, unknown>; parameters?: ProfileParameters },
  device: { settings: Record<string, unknown>; parameters?: ParameterValues },
): Record<string, unknown> => {
  // What the device says itself need not be fillable in the profile.
  const inherited = Object.entries(profile.settings).filter(
    ([name]) => !Object.hasOwn(device.settings, name),
  );
  if (!hasParameters(profile.parameters)) return { ...profile.settings, ...device.settings };
  const below = fillSettings(Object.fromEntries(inherited), profile.parameters, device.parameters ?? {});
  return { ...below, ...device.settings };
};
