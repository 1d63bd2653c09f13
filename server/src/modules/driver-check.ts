import type { DriverProblem } from "@millrace/contract/driver/check";
import { AppError } from "@millrace/contract/error/app-error";

/** Problems named in one answer; the rest is counted. */
const NAMED_MAX = 50;

/** @throws AppError `request.invalid` naming the first field, and in its context the others */
export function checkDriver(problems: readonly DriverProblem[]): void {
  const [first] = problems;
  if (first === undefined) return;
  const named = problems
    .slice(0, NAMED_MAX)
    .map(({ at, message }) => ({ at: `body/${at.join("/")}`, message }));
  throw new AppError("request.invalid", `body/${first.at.join("/")}: ${first.message}`, {
    context: { problems: named, problemCount: problems.length },
  });
}
