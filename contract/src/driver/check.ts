import type { TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { AppError } from "../error/app-error.ts";
import { effectiveValues, hasParameters } from "../profile/parameter.ts";
import { fillTemplate, readTemplate } from "../profile/template.ts";
import type { ParameterValues, ProfileParameters } from "../vocabulary/parameter.ts";
import { isSecretRef } from "../vocabulary/secret.ts";
import type { ProfileTag } from "../vocabulary/tag.ts";
import type { DataType } from "../vocabulary/value.ts";
import { rulesProblem } from "../write/judge.ts";
import type { SettingsDeclaration } from "./declaration.ts";
import {
  declaredProblems,
  filledProblems,
  knownSettings,
  templateProblem,
  valueProblems,
  wordProblems,
} from "./parameter-check.ts";
import { type AnyDeclaration, DECLARATIONS, declarationOf } from "./registry.ts";
import { secretNamesOf } from "./secret-settings.ts";
import { settingsErrors, wholeSettingsErrors } from "./settings.ts";

/** Something wrong in what a profile or a device says for its driver. */
export interface DriverProblem {
  /** Keys and positions below the profile or the device, e.g. `["settings", "port"]` or `["tags", 3, "address"]`. */
  at: (string | number)[];
  message: string;
}

function problemOf(thrown: unknown, at: (string | number)[]): DriverProblem {
  if (thrown instanceof AppError) return { at, message: thrown.message };
  throw thrown;
}

/** Settings with the defaults of the schema; what is required and missing stays missing. */
const withDefaults = (declaration: SettingsDeclaration, settings: object): Record<string, unknown> =>
  Value.Default(declaration.settings, Value.Clone(settings)) as Record<string, unknown>;

const settingProblem = (error: AppError): DriverProblem => {
  const name = String(error.context.setting);
  return { at: name === "" ? ["settings"] : ["settings", name], message: error.message };
};

/** What is wrong with settings; a secret that is kept elsewhere was judged when it was entered, its example stands for it. */
function settingProblems(
  declaration: SettingsDeclaration,
  settings: Record<string, unknown>,
  errorsOf: typeof settingsErrors = settingsErrors,
): DriverProblem[] {
  const secret = secretNamesOf(declaration.kind);
  const kept = (name: string) => secret.has(name) && isSecretRef(settings[name]);
  const properties = (declaration.settings.properties ?? {}) as Record<string, TSchema>;
  const judged = Object.entries(settings).map(([name, value]) => [
    name,
    kept(name) ? (properties[name]?.examples?.[0] ?? value) : value,
  ]);
  return errorsOf(declaration, Object.fromEntries(judged))
    .map(settingProblem)
    .filter(({ at: [, name = ""] }) => !kept(String(name)));
}

/** Problems of the settings that are there; those a device has yet to add may be missing. */
const partialProblems = (declaration: AnyDeclaration, settings: Record<string, unknown>): DriverProblem[] =>
  settingProblems(
    declaration,
    withDefaults(declaration, { ...examplesOf(declaration.settings), ...settings }),
  );

/** A value that fits for each required setting, so that others can be judged without it. */
function examplesOf(schema: TSchema): Record<string, unknown> {
  const properties = (schema.properties ?? {}) as Record<string, TSchema>;
  const required = (schema.required ?? []) as string[];
  return Object.fromEntries(
    required.flatMap((name) => {
      const { default: standard, examples } = properties[name] ?? {};
      const example = standard ?? (examples as unknown[] | undefined)?.[0];
      return example === undefined ? [] : [[name, example]];
    }),
  );
}

/** What is wrong with settings that stand for themselves, such as a gateway's as Sparkplug edge node. */
export const wholeProblems = (
  declaration: SettingsDeclaration,
  settings: Record<string, unknown>,
): DriverProblem[] => settingProblems(declaration, withDefaults(declaration, settings), wholeSettingsErrors);

const READ_ONLY = "this protocol can only be read.";

/** What is judged of a profile. */
export interface JudgedProfile {
  driver: string;
  settings: Record<string, unknown>;
  parameters?: ProfileParameters;
}

/** @param isWritten whether something may be written there too */
type Judge = (address: string, dataType: DataType, isWritten?: boolean) => string | null;

/**
 * What a driver has against a profile: its kind, its parameters, each setting that is there, and each tag's address,
 * judged with the profile's settings and the defaults of its parameters. Empty when all is well. Devices may still make
 * an address wrong, e.g. by a smaller limit.
 */
export function profileProblems(profile: JudgedProfile & { tags: readonly ProfileTag[] }): DriverProblem[] {
  let declaration: AnyDeclaration;
  try {
    declaration = declarationOf(profile.driver);
  } catch (thrown) {
    return [problemOf(thrown, ["driver"])];
  }
  const { parameters } = profile;
  const known = settingsByDefault(profile);
  const problems = [
    ...(hasParameters(parameters) ? declaredProblems(parameters) : []),
    ...known.problems,
    ...partialProblems(declaration, known.settings),
  ];
  if (problems.length > 0) return problems;
  const judge = addressJudge(profile);
  const addresses = profile.tags.flatMap((tag, i): DriverProblem[] => {
    const message = judge(tag.address, tag.dataType, tag.write !== undefined);
    if (message !== null) return [{ at: ["tags", i, "address"], message }];
    const wrong = rulesProblem(tag) ?? (tag.write && !declaration.capabilities.write ? READ_ONLY : null);
    return wrong === null ? [] : [{ at: ["tags", i, "write"], message: wrong }];
  });
  return hasParameters(parameters) ? [...addresses, ...wordProblems(profile.tags, parameters)] : addresses;
}

/** A profile's settings as far as the defaults of its parameters go. */
const settingsByDefault = ({ driver, settings, parameters }: JudgedProfile) =>
  knownSettings(settings, parameters, effectiveValues(parameters ?? {}, {}), secretNamesOf(driver));

/**
 * How a driver judges addresses under a profile's settings: what is wrong with one, or null. Null too for a protocol we
 * do not know, which is another problem, and for an address that waits for a device's values.
 */
export function addressJudge(profile: JudgedProfile): Judge {
  const declaration = DECLARATIONS.find(({ kind }) => kind === profile.driver);
  if (declaration === undefined) return () => null;
  const parameters = profile.parameters ?? {};
  const judge = plainJudge(declaration, {
    ...examplesOf(declaration.settings),
    ...settingsByDefault(profile).settings,
  });
  if (!hasParameters(parameters))
    return (address, dataType, isWritten) => undeclared(address, judge(address, dataType, isWritten));
  const defaults = effectiveValues(parameters, {});
  return (address, dataType, isWritten) => {
    const wrong = templateProblem(address, true, parameters);
    const read = readTemplate(address, { sums: true });
    if (wrong !== null || !read.ok) return `Address "${address}": ${wrong}`;
    const filled = fillTemplate(read.template, defaults);
    if (filled.ok) return judge(filled.text, dataType, isWritten);
    return filled.why === "missing" ? null : `Address "${address}": ${filled.message}`;
  };
}

/** How a driver judges addresses that hold no parameters. */
function plainJudge(declaration: AnyDeclaration, own: Record<string, unknown>): Judge {
  const settings = withDefaults(declaration, own);
  return (address, dataType, isWritten = false) => {
    try {
      const parsed = declaration.parseAddress(address, dataType, settings);
      const why = isWritten ? (declaration.writeProblem?.(parsed) ?? null) : null;
      return why && `Address "${address}": ${why}`;
    } catch (thrown) {
      return problemOf(thrown, []).message;
    }
  };
}

/** An address that a driver refuses and that looks like a parameter's is told what is missing. */
function undeclared(address: string, refusal: string | null): string | null {
  if (refusal === null || !address.includes("{")) return refusal;
  const wrong = templateProblem(address, true, {});
  return wrong === null ? refusal : `Address "${address}": ${wrong}`;
}

/**
 * What a driver has against a device: its own settings over the profile's must be whole, its values must fit the
 * profile's parameters, and so must the addresses they lead to. The driver must be known.
 */
export function deviceProblems(
  profile: JudgedProfile & { tags?: readonly ProfileTag[] },
  settings: Record<string, unknown>,
  values: ParameterValues = {},
): DriverProblem[] {
  const declaration = declarationOf(profile.driver);
  const parameters = profile.parameters ?? {};
  const effective = effectiveValues(parameters, values);
  const inherited = Object.entries(profile.settings).filter(([name]) => !Object.hasOwn(settings, name));
  const known = knownSettings(
    Object.fromEntries(inherited),
    parameters,
    effective,
    secretNamesOf(profile.driver),
  );
  const examples = Object.entries(examplesOf(declaration.settings));
  const waiting = Object.fromEntries(examples.filter(([name]) => known.waiting.has(name)));
  const whole = withDefaults(declaration, { ...waiting, ...known.settings, ...settings });
  const settingsWrong = settingProblems(declaration, whole, wholeSettingsErrors).flatMap((problem) => {
    const name = String(problem.at[1] ?? "");
    const by = known.filledBy.get(name);
    if (known.waiting.has(name)) return [];
    return [by === undefined ? problem : { ...problem, at: ["parameters", by] }];
  });
  const problems = [...valueProblems(parameters, values), ...settingsWrong];
  if (problems.length > 0 || !hasParameters(parameters)) return problems;
  return filledProblems(profile.tags ?? [], effective, plainJudge(declaration, whole));
}
