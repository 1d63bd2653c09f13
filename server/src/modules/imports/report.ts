import type { ImportReport } from "@millrace/contract/api/history";
import { IMPORT } from "./limits.ts";
import type { RowProblem } from "./row.ts";

/** Counts what becomes of rows, and keeps the first of what is wrong. */
export class Report {
  rows = 0;
  same = 0;
  conflicts = 0;
  rejected = 0;
  readonly #problems: ImportReport["problems"] = [];

  reject(row: number, problem: RowProblem): void {
    this.rejected++;
    this.#note(row, problem);
  }

  conflict(row: number, found: string, stored: string): void {
    this.conflicts++;
    this.#note(row, { field: "value", found, expected: `${stored}, which is there at this time and stays` });
  }

  #note(row: number, { field, found, expected }: RowProblem): void {
    if (this.#problems.length < IMPORT.problemsMax) this.#problems.push({ row, field, found, expected });
  }

  finish(dryRun: boolean, imported: number): ImportReport {
    const { rows, same, conflicts, rejected } = this;
    const problems = this.#problems.sort((a, b) => a.row - b.row);
    return { dryRun, rows, imported, same, conflicts, rejected, problems };
  }
}
