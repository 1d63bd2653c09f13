import {
  configure,
  getConsoleSink,
  getJsonLinesFormatter,
  getTextFormatter,
  type TextFormatter,
} from "@logtape/logtape";
import { safeLogText } from "@millrace/contract/std/log-line";
import { redactLine } from "@millrace/contract/std/redact";
import type { Settings } from "./settings.ts";

type LogSettings = Pick<Settings, "logLevel" | "logFormat">;

/** Values an operator gave that must stand in no line, whatever an error of a library says. */
export function operatorSecrets({ databaseUrl, adminApiKey, secretsKey }: Partial<Settings>): string[] {
  const password = databaseUrl === undefined ? "" : (URL.parse(databaseUrl)?.password ?? "");
  const plain = [databaseUrl, password, decodeURIComponent(password), adminApiKey, secretsKey];
  return plain.filter((value) => value !== undefined && value !== "") as string[];
}

/**
 * Called once, by `main.ts`. JSON is one object a line, for collectors; text is for people.
 * @param secrets values to leave out
 */
export async function configureLog(
  { logLevel, logFormat }: LogSettings,
  secrets: readonly string[] = [],
): Promise<void> {
  const written = logFormat === "json" ? getJsonLinesFormatter() : getTextFormatter();
  const formatter: TextFormatter = (record) => safeLogText(redactLine(written(record), secrets));
  await configure({
    sinks: { console: getConsoleSink({ formatter }) },
    loggers: [
      { category: "hub", lowestLevel: logLevel, sinks: ["console"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["console"] },
    ],
  });
}
