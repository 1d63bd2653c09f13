import { configure, getConsoleSink, getJsonLinesFormatter, getTextFormatter } from "@logtape/logtape";
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

/** Called once, by `main.ts`. JSON is one object a line, for collectors; text is for people. */
export async function configureLog(
  { logLevel, logFormat }: Pick<Settings, "logLevel" | "logFormat">,
  terminal: boolean,
): Promise<void> {
  const json = logFormat === "json" || (logFormat === "auto" && !terminal);
  const formatter = json ? getJsonLinesFormatter() : getTextFormatter();
  await configure({
    sinks: { console: getConsoleSink({ formatter, levelMap: STDOUT }) },
    loggers: [
      { category: "gateway", lowestLevel: logLevel, sinks: ["console"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["console"] },
    ],
  });
}
