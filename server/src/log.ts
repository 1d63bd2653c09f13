import {
  configure,
  getConsoleSink,
  getJsonLinesFormatter,
  getTextFormatter,
  type LogRecord,
} from "@logtape/logtape";
import { safeLogText } from "@millrace/contract/std/log-line";
import type { Settings } from "./settings.ts";

/** Called once, by `main.ts`. JSON is one object a line, for collectors; text is for people. */
export async function configureLog({
  logLevel,
  logFormat,
}: Pick<Settings, "logLevel" | "logFormat">): Promise<void> {
  const format = logFormat === "json" ? getJsonLinesFormatter() : getTextFormatter();
  const formatter = (record: LogRecord) => safeLogText(format(record));
  await configure({
    sinks: { console: getConsoleSink({ formatter }) },
    loggers: [
      { category: "hub", lowestLevel: logLevel, sinks: ["console"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["console"] },
    ],
  });
}
