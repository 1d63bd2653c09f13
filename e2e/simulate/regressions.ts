/** A seed that once broke a promise, and what was wrong. It is played for ever. */
export interface Regression {
  seed: number;
  what: string;
}

export const REGRESSIONS: readonly Regression[] = [
  { seed: 4, what: "an envelope spanned a hole that retention had left, and was refused for ever" },
  { seed: 6, what: "a segment was closed between hello and welcome, and the welcome stumbled over it" },
];
