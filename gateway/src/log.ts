import { configure, getConsoleSink, getJsonLinesFormatter, getTextFormatter } from "@logtape/logtape";
import type { Settings } from "./settings.ts";

/** Called once, by `main.ts`. JSON is one object a line, for collectors; text is for people. */
export async function configureLog(
  { logLevel, logFormat }: Pick<Settings, "logLevel" | "logFormat">,
  terminal: boolean,
): Promise<void> {
  const json = logFormat === "json" || (logFormat === "auto" && !terminal);
  const formatter = json ? getJsonLinesFormatter() : getTextFormatter();
  await configure({
    sinks: { console: getConsoleSink({ formatter }) },
    loggers: [
      { category: "gateway", lowestLevel: logLevel, sinks: ["console"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["console"] },
    ],
  });
}
