import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isLoopback } from "@millrace/contract/std/loopback";
import { type Environment, readEnvironment, Setting, settingWrong } from "@millrace/contract/std/setting";
import { type Static, Type } from "@sinclair/typebox";

/** Whom the command line talks to, and as whom. */
export const CliSettings = Type.Object({
  hubUrl: Setting(
    "MILLRACE_HUB_URL",
    Type.String({
      pattern: "^https?://[^/?#@]+/?$",
      default: "http://localhost:8080",
      description: "Address of the hub",
    }),
  ),
  apiKey: Setting(
    "MILLRACE_API_KEY",
    Type.Optional(Type.String({ minLength: 32, maxLength: 200, description: "API key" })),
    true,
  ),
  dataFolder: Setting(
    "MILLRACE_DATA",
    Type.String({ minLength: 1, default: "data", description: "Where `npm start` keeps its data" }),
  ),
});
export type CliSettings = Omit<Static<typeof CliSettings>, "apiKey" | "dataFolder"> & { apiKey: string };

/**
 * Reads the settings. Without a key, the one `npm start` left on this machine is taken, for a hub on this machine only.
 * @throws AppError `setting.wrong`
 */
export function readCliSettings(environment: Environment): CliSettings {
  const read = (path: string) => readFileSync(path, "utf8");
  const { hubUrl, apiKey, dataFolder } = readEnvironment(CliSettings, environment, read);
  if (apiKey !== undefined) return { hubUrl, apiKey };
  const file = join(dataFolder, "automation-key");
  if (isLoopback(new URL(hubUrl).hostname) && existsSync(file)) return { hubUrl, apiKey: read(file).trim() };
  throw settingWrong(
    "MILLRACE_API_KEY",
    "found nothing, expected an API key of the hub (or MILLRACE_API_KEY_FILE).",
  );
}
