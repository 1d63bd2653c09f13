import { profileProblems } from "@millrace/contract/driver/check";
import { repeatedNames } from "@millrace/contract/profile/expand";
import { NAME_PATTERN } from "@millrace/contract/vocabulary/id";
import type { ProfileParameters } from "@millrace/contract/vocabulary/parameter";
import type { ProfileTag } from "@millrace/contract/vocabulary/tag";

const NAME = new RegExp(NAME_PATTERN);
const NAME_CHARACTERS_MAX = 100;

/** What is wrong with one row, by field. */
export type RowProblems = Partial<Record<"name" | "address", string>>;

/**
 * What is wrong with the tags of a profile, by row. The same grammar as the hub's and the gateway's, so that nothing is
 * found out only after saving.
 */
export function rowProblems(
  driver: string,
  settings: Record<string, unknown>,
  tags: readonly ProfileTag[],
  parameters: ProfileParameters = {},
): Map<number, RowProblems> {
  const problems = new Map<number, RowProblems>();
  const add = (row: number, field: keyof RowProblems, message: string) =>
    problems.set(row, { ...problems.get(row), [field]: message });
  const repeated = new Set(repeatedNames(tags));
  tags.forEach(({ name }, row) => {
    if (name === "") add(row, "name", "A tag needs a name.");
    else if (!NAME.test(name) || name.length > NAME_CHARACTERS_MAX)
      add(row, "name", "1 to 100 characters without + # $ / please.");
    else if (repeated.has(name)) add(row, "name", "This name occurs more than once.");
  });
  for (const { at, message } of profileProblems({ driver, settings, parameters, tags })) {
    const [where, row, member] = at;
    if (where !== "tags" || typeof row !== "number") continue;
    add(row, "address", member === "address" ? besideField(message) : `The ${member}: ${message}`);
  }
  return problems;
}

/** The driver's words without naming the field they stand beside. */
export const besideField = (message: string): string => {
  const words = message.replace(/^(Address "[^"]*"|([^:]*: )?setting "[^"]*"): /, "");
  return words.charAt(0).toUpperCase() + words.slice(1);
};

/** Problems of one member in words beside its fields, by name. */
export const problemsOf = (
  found: readonly { at: readonly (string | number)[]; message: string }[],
  member: "settings" | "parameters",
): Map<string, string> =>
  new Map(
    found
      .filter(({ at }) => at[0] === member)
      .map(({ at, message }) => [String(at[1] ?? ""), besideField(message)]),
  );

/** A row as one would begin it: the type of the one before. */
export const emptyTag = (before: ProfileTag | undefined): ProfileTag => ({
  name: "",
  address: "",
  dataType: before?.dataType ?? "float32",
  unit: "",
});

/** A tag without what is at its standard, as the hub takes it. */
export function tidyTag(tag: ProfileTag): ProfileTag {
  const { unit, description, ...rest } = tag;
  return {
    ...rest,
    name: tag.name.trim(),
    address: tag.address.trim(),
    ...(unit === undefined || unit.trim() === "" ? {} : { unit: unit.trim() }),
    ...(description === undefined || description.trim() === "" ? {} : { description: description.trim() }),
  };
}

/** A change of tags that can be taken back. The oldest steps are forgotten. */
export class TagHistory {
  static readonly stepsMax = 100;
  readonly #past: (readonly ProfileTag[])[] = [];

  keep(tags: readonly ProfileTag[]): void {
    this.#past.push(tags);
    if (this.#past.length > TagHistory.stepsMax) this.#past.shift();
  }

  back(): readonly ProfileTag[] | null {
    return this.#past.pop() ?? null;
  }
}
