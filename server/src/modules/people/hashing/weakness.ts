import { ZxcvbnFactory } from "@zxcvbn-ts/core";
import { adjacencyGraphs, dictionary } from "@zxcvbn-ts/language-common";
import type { Weakness } from "./message.ts";

/**
 * Below 10⁸ guesses (score 3 of 4). Sign-in lets nobody try more than twenty an hour at one account; this many is for who
 * has stolen the hashes.
 */
const SCORE_MIN = 3;

/** Judged by its beginning: the work grows faster than the length, and no common password is longer. */
const JUDGED_CHARS = 64;

/** The library's own words for what it found. */
const FOUND: Readonly<Record<string, Weakness>> = {
  simpleRepeat: "repeats",
  extendedRepeat: "repeats",
  sequences: "follows",
  straightRow: "follows",
  keyPattern: "follows",
  recentYears: "date",
  dates: "date",
  userInputs: "about",
};

let judge: ZxcvbnFactory | null = null;

/** Parts of names and addresses by themselves and written together, as a stranger would try them. */
const wordsOf = (about: readonly string[]): string[] =>
  about.flatMap((text) => {
    const parts = text.toLowerCase().split(/[^\p{L}\p{N}]+/u);
    return [text.toLowerCase(), parts.join(""), ...parts].filter((word) => word.length > 2);
  });

/**
 * Whether a password is one that is tried first: commonly used ones and what is close to them, keys in a row, repetitions,
 * dates, and words about its person or this hub (NIST SP 800-63B, 3.1.1.2). Any words without these are taken.
 * @returns null when it is none of these
 */
export function weaknessOf(password: string, about: readonly string[]): Weakness | null {
  judge ??= new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs });
  const { score, feedback } = judge.check(password.slice(0, JUDGED_CHARS), wordsOf(about));
  return score >= SCORE_MIN ? null : (FOUND[feedback.warning ?? ""] ?? "common");
}
