import { type Static, Type } from "@sinclair/typebox";

/** From most to least talkative. */
export const LOG_LEVELS = ["debug", "info", "warning", "error"] as const;

export const LogLevel = Type.Union(
  [Type.Literal("debug"), Type.Literal("info"), Type.Literal("warning"), Type.Literal("error")],
  { description: "debug, info, warning or error" },
);
export type LogLevel = Static<typeof LogLevel>;

/** True when a record of `level` is at least as serious as `least`. */
export const isAtLeast = (level: LogLevel, least: LogLevel): boolean =>
  LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least);

/** Bounds of the log records that gateways send to the hub. */
export const LOG_RECORD = {
  /** Level from which records are sent while nobody asked for more. */
  standardLevel: "warning",
  messageCharsMax: 500,
  /** Facts beside `level` and `logger`; an event has at most 16. */
  factsMax: 12,
  factCharsMax: 200,
  /** Longest time for which another level may be set from the hub. */
  minutesMax: 240,
} as const;
