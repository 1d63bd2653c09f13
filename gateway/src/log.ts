import {
  configure,
  getConsoleSink,
  getJsonLinesFormatter,
  getTextFormatter,
  type LogRecord,
  type Sink,
  withFilter,
} from "@logtape/logtape";
import { safeLogText } from "@millrace/contract/std/log-line";
import type { LogForward } from "./logs/forward.ts";
import type { Settings } from "./settings.ts";

/** Every level on stdout: one stream, in order; stderr is left to the runtime itself. */
const STDOUT = {
  trace: "log",
  debug: "log",
  info: "log",
  warning: "log",
  error: "log",
  fatal: "log",
} as const;

/**
 * Called once, by `main.ts`. JSON is one object a line, for collectors; text is for people. Everything reaches both
 * sinks, which judge the level themselves: the hub may ask for more for a while.
 */
export async function configureLog(
  { logLevel, logFormat }: Pick<Settings, "logLevel" | "logFormat">,
  terminal: boolean,
  logs: LogForward,
): Promise<void> {
  const json = logFormat === "json" || (logFormat === "auto" && !terminal);
  const format = json ? getJsonLinesFormatter() : getTextFormatter();
  const formatter = (record: LogRecord) => safeLogText(format(record));
  const output: Sink = getConsoleSink({ formatter, levelMap: STDOUT });
  await configure({
    sinks: { console: withFilter(output, (record) => logs.shows(record, logLevel)), hub: logs.sink },
    loggers: [
      { category: "gateway", lowestLevel: "debug", sinks: ["console", "hub"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["console"] },
    ],
  });
}
