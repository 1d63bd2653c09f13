import { AppError } from "@millrace/contract/error/app-error";
import { type ConfigProblem, PROBLEMS, placeText } from "../problem.ts";
import { CONFIG_IMPORT } from "./limits.ts";
import type { CellProblem } from "./sheet.ts";

/** Longest content of a cell in an answer. */
const CELL_CHARACTERS_MAX = 80;

const cut = (text: string): string =>
  text.length > CELL_CHARACTERS_MAX ? `${text.slice(0, CELL_CHARACTERS_MAX)}…` : text;

const placeOf = ({ where, column }: CellProblem): string => `${where}, column "${cut(column)}"`;

/** Problems while rows come in: the first ones are held, all are counted. */
export class Problems {
  readonly held: CellProblem[] = [];
  count = 0;

  constructor(first: readonly CellProblem[] = []) {
    this.add(first);
  }

  add(problems: readonly CellProblem[]): void {
    this.count += problems.length;
    this.held.push(...problems.slice(0, Math.max(CONFIG_IMPORT.problemsHeldMax - this.held.length, 0)));
  }
}

/** All wrong cells as one error: each with its row, column and content, the first ones when they are very many. */
export function cellsError(problems: readonly CellProblem[], count = problems.length): AppError {
  const ordered = [...problems].sort((a, b) => (a.row ?? 0) - (b.row ?? 0));
  const named = ordered.slice(0, PROBLEMS.namedMax).map((one) => ({
    at: placeOf(one),
    ...(one.row === null ? {} : { row: one.row }),
    column: cut(one.column),
    cell: cut(one.cell),
    message: one.message,
  }));
  const [first] = named;
  const more = count > 1 ? ` And ${count - 1} more.` : "";
  return new AppError("request.invalid", `${first?.at}: ${first?.message}${more}`, {
    context: { problems: named, problemCount: count },
  });
}

/** What the common way of publishing found, said by cell wherever a cell said it. */
export function explained(
  problems: readonly ConfigProblem[],
  cellOf: (at: ConfigProblem["at"]) => Omit<CellProblem, "message"> | null,
): AppError {
  return cellsError(
    problems.map(({ at, message }) => {
      const cell = cellOf(at);
      if (cell !== null) return { ...cell, message };
      return { where: "the file", row: null, column: placeText(at), cell: "", message };
    }),
  );
}

/** Notes up to their limit, and how many there are beyond it. */
export function boundedNotes(notes: readonly string[]): string[] {
  const more = notes.length - CONFIG_IMPORT.notesMax;
  if (more <= 0) return [...notes];
  return [...notes.slice(0, CONFIG_IMPORT.notesMax), `And ${more} notes more.`];
}
