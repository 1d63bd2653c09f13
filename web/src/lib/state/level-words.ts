import type { LogLevel } from "@millrace/contract/vocabulary/log";

/** How serious one record of a log is. */
export const LEVEL: Record<LogLevel, string> = {
  debug: "Fine detail",
  info: "Step",
  warning: "Warning",
  error: "Error",
};

/** Which records there are from a level on. */
export const LEVEL_FROM: Record<LogLevel, string> = {
  debug: "Everything, down to fine detail",
  info: "Ordinary steps, warnings and errors",
  warning: "Warnings and errors",
  error: "Errors only",
};
