import type { TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { AppError } from "../error/app-error.ts";
import type { ProfileTag } from "../vocabulary/tag.ts";
import type { DataType } from "../vocabulary/value.ts";
import { type AnyDeclaration, DECLARATIONS, declarationOf } from "./registry.ts";
import { settingsErrors } from "./settings.ts";

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
const withDefaults = (declaration: AnyDeclaration, settings: object): Record<string, unknown> =>
  Value.Default(declaration.settings, Value.Clone(settings)) as Record<string, unknown>;

const settingProblem = (error: AppError): DriverProblem => {
  const name = String(error.context.setting);
  return { at: name === "" ? ["settings"] : ["settings", name], message: error.message };
};

/** Problems of the settings that are there; those a device has yet to add may be missing. */
const partialProblems = (declaration: AnyDeclaration, settings: Record<string, unknown>): DriverProblem[] =>
  settingsErrors(
    declaration,
    withDefaults(declaration, { ...examplesOf(declaration.settings), ...settings }),
  ).map(settingProblem);

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

/**
 * What a driver has against a profile: its kind, each setting that is there, and each tag's address, judged with the
 * profile's settings. Empty when all is well. Devices may still make an address wrong, e.g. by a smaller limit.
 */
export function profileProblems(profile: {
  driver: string;
  settings: Record<string, unknown>;
  tags: readonly ProfileTag[];
}): DriverProblem[] {
  let declaration: AnyDeclaration;
  try {
    declaration = declarationOf(profile.driver);
  } catch (thrown) {
    return [problemOf(thrown, ["driver"])];
  }
  const problems = partialProblems(declaration, profile.settings);
  if (problems.length > 0) return problems;
  const judge = addressJudge(profile);
  return profile.tags.flatMap((tag, i) => {
    const message = judge(tag.address, tag.dataType);
    return message === null ? [] : [{ at: ["tags", i, "address"], message }];
  });
}

/**
 * How a driver judges addresses under a profile's settings: what is wrong with one, or null. Null too for a protocol we
 * do not know, which is another problem.
 */
export function addressJudge(profile: {
  driver: string;
  settings: Record<string, unknown>;
}): (address: string, dataType: DataType) => string | null {
  const declaration = DECLARATIONS.find(({ kind }) => kind === profile.driver);
  if (declaration === undefined) return () => null;
  const settings = withDefaults(declaration, { ...examplesOf(declaration.settings), ...profile.settings });
  return (address, dataType) => {
    try {
      declaration.parseAddress(address, dataType, settings);
      return null;
    } catch (thrown) {
      return problemOf(thrown, []).message;
    }
  };
}

/** What a driver has against a device: its own settings over the profile's must be whole. The driver must be known. */
export function deviceProblems(
  profile: { driver: string; settings: Record<string, unknown> },
  settings: Record<string, unknown>,
): DriverProblem[] {
  const declaration = declarationOf(profile.driver);
  return settingsErrors(declaration, withDefaults(declaration, { ...profile.settings, ...settings })).map(
    settingProblem,
  );
}
