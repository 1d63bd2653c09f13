import { configure, getConsoleSink, getJsonLinesFormatter, getTextFormatter } from "@logtape/logtape";
import type { Settings } from "./settings.ts";

/** Called once, by `main.ts`. JSON is one object a line, for collectors; text is for people. */
export async function configureLog({
  logLevel,
  logFormat,
}: Pick<Settings, "logLevel" | "logFormat">): Promise<void> {
  const formatter = logFormat === "json" ? getJsonLinesFormatter() : getTextFormatter();
  await configure({
    sinks: { console: getConsoleSink({ formatter }) },
    loggers: [
      { category: "hub", lowestLevel: logLevel, sinks: ["console"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["console"] },
    ],
  });
}
