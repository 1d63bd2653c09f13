/** One test as `bun test` names it: its groups before it, joined by " > ". */
export interface FailedTest {
  /** The file as printed, relative to the root. */
  file: string;
  name: string;
}

export interface SuiteOutput {
  passed: number;
  failed: number;
  /** Tests that could not be made here, which is not the same as passed. */
  skipped: number;
  failures: readonly FailedTest[];
}

/** Reads what `bun test` printed. Counts that it did not print are 0. */
export function suiteOutput(text: string): SuiteOutput {
  const failures: FailedTest[] = [];
  let file = "";
  for (const line of text.split("\n")) {
    // After many tests the failures are listed once more, without their files.
    if (/^\d+ tests? failed:$/.test(line)) break;
    const head = /^(\S+\.(?:test|spec)\.ts):$/.exec(line);
    if (head !== null) file = head[1]!;
    const failed = /^\(fail\) (.*?)(?: \[[\d.]+ms\])?$/.exec(line);
    if (failed !== null) failures.push({ file, name: failed[1]! });
  }
  const number = (word: string) => Number(new RegExp(`^\\s*(\\d+) ${word}$`, "m").exec(text)?.[1] ?? 0);
  return { passed: number("pass"), failed: number("fail"), skipped: number("skip"), failures };
}

/** Tests of one run that may have a second try. More at once are no coincidence. */
export const SECOND_TRIES_MAX = 2;

/**
 * The files that are tried once more after a suite failed, whole, since the tests of a file may build on each other.
 * None when something else broke than single tests (`exitCode` without a counted failure, a name without a file), or when
 * more than `triesLeft` tests failed.
 */
export function secondTry({ failed, failures }: SuiteOutput, triesLeft: number): readonly string[] {
  const known = failures.length === failed && failures.every(({ file }) => file !== "");
  if (failed === 0 || failed > triesLeft || !known) return [];
  return [...new Set(failures.map(({ file }) => file))];
}
