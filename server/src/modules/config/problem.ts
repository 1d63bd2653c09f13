import { AppError } from "@millrace/contract/error/app-error";

/** Something wrong at one place of a document. */
export interface ConfigProblem {
  /** Keys and list positions from the root. */
  at: readonly (string | number)[];
  message: string;
}

export const PROBLEMS = {
  /** Problems named in one answer; the rest is counted. */
  namedMax: 200,
} as const;

/** `devices["Plant/Press 2"].settings.port`, as one would write it. */
export const placeText = (at: ConfigProblem["at"]): string =>
  at
    .map((part, i) => {
      if (typeof part === "number") return `[${part}]`;
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(part)) return `[${JSON.stringify(part)}]`;
      return i === 0 ? part : `.${part}`;
    })
    .join("");

/** All problems as one error, each with its place and, where the text has lines, its line. */
export function problemsError(
  problems: readonly ConfigProblem[],
  lineOf: (at: ConfigProblem["at"]) => number | null = () => null,
): AppError {
  const named = problems.slice(0, PROBLEMS.namedMax).map(({ at, message }) => {
    const line = lineOf(at);
    return { at: placeText(at), ...(line === null ? {} : { line }), message };
  });
  const first = named[0];
  const where =
    first === undefined ? "" : `${first.line === undefined ? "" : `line ${first.line}, `}${first.at}: `;
  const more = problems.length > 1 ? ` And ${problems.length - 1} more.` : "";
  return new AppError("request.invalid", `${where}${first?.message ?? "the document is wrong"}${more}`, {
    context: { problems: named, problemCount: problems.length },
  });
}
