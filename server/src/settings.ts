import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { AppError } from "@millrace/contract/error/app-error";
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";

/**
 * Everything an operator may set, each by an environment variable (`env`). A secret may also come from a file, named
 * by the same variable with `_FILE` at its end. The table in the documentation is made from this schema.
 */
const Setting = <T extends TSchema>(env: string, schema: T, secret = false): T => ({
  ...schema,
  env,
  secret,
});

export const Settings = Type.Object({
  host: Setting("MILLRACE_HOST", Type.String({ default: "127.0.0.1", description: "Address to listen at" })),
  port: Setting(
    "MILLRACE_PORT",
    Type.Integer({
      minimum: 0,
      maximum: 65_535,
      default: 8080,
      description: "Port to listen at; 0 takes any",
    }),
  ),
  publicUrl: Setting(
    "MILLRACE_PUBLIC_URL",
    Type.Optional(
      Type.String({
        pattern: "^https?://[^/?#@]+/?$",
        description: "Address people and gateways open the hub at; default: the address it listens at",
        examples: ["https://millrace.example.com"],
      }),
    ),
  ),
  allowPlain: Setting(
    "MILLRACE_ALLOW_PLAIN",
    Type.Boolean({
      default: false,
      description:
        "1 lets the hub serve plain http to other machines, where passwords can be read on the way",
    }),
  ),
  dataFolder: Setting(
    "MILLRACE_DATA",
    Type.String({
      minLength: 1,
      default: "./data",
      description: "Folder for keys and the embedded PostgreSQL",
    }),
  ),
  databaseUrl: Setting(
    "DATABASE_URL",
    Type.Optional(
      Type.String({
        pattern: "^postgres(ql)?://",
        description: "A PostgreSQL 15 or newer to use instead of the embedded one",
        examples: ["postgres://millrace:…@db.example.com/millrace"],
      }),
    ),
    true,
  ),
  adminApiKey: Setting(
    "MILLRACE_ADMIN_API_KEY",
    Type.Optional(
      Type.String({ minLength: 32, maxLength: 200, description: "API key with an administrator's rights" }),
    ),
    true,
  ),
  metricsOpen: Setting(
    "MILLRACE_METRICS_OPEN",
    Type.Boolean({
      default: false,
      description: "1 shows /metrics to everybody; else loopback or an API key",
    }),
  ),
  logLevel: Setting(
    "MILLRACE_LOG_LEVEL",
    Type.Union(
      [Type.Literal("debug"), Type.Literal("info"), Type.Literal("warning"), Type.Literal("error")],
      {
        default: "info",
        description: "debug, info, warning or error",
      },
    ),
  ),
  logFormat: Setting(
    "MILLRACE_LOG_FORMAT",
    Type.Union([Type.Literal("text"), Type.Literal("json")], {
      default: "text",
      description: "text or json",
    }),
  ),
});
export type Settings = Static<typeof Settings>;

export type Environment = Record<string, string | undefined>;

interface SettingFacts {
  env: string;
  secret: boolean;
  type?: string;
  default?: unknown;
  description?: string;
}

const wrong = (env: string, message: string) =>
  new AppError("setting.wrong", `${env}: ${message}`, { context: { setting: env } });

function textOf(environment: Environment, { env, secret }: SettingFacts): string | undefined {
  const direct = environment[env];
  if (direct !== undefined && direct !== "") return direct;
  const file = secret ? environment[`${env}_FILE`] : undefined;
  if (file === undefined || file === "") return undefined;
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    throw wrong(`${env}_FILE`, `the file ${file} cannot be read`);
  }
}

/** A text as the schema's type; what does not fit stays text and is refused by the check. */
function typed(text: string, type: string | undefined): unknown {
  if (type === "boolean")
    return text === "1" || text === "true" ? true : text === "0" || text === "false" ? false : text;
  if (type === "integer") return /^-?\d+$/.test(text) ? Number(text) : text;
  return text;
}

/**
 * Reads the settings from the environment.
 *
 * @throws AppError `setting.wrong` naming the variable and what would be right, never its value when it is a secret
 */
export function readSettings(environment: Environment): Settings {
  const found: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(Settings.properties)) {
    const facts = schema as unknown as SettingFacts;
    const text = textOf(environment, facts);
    const value = text === undefined ? facts.default : typed(text, facts.type);
    if (value === undefined) continue;
    const [error] = Value.Errors(schema, value);
    if (error !== undefined) {
      const shown = facts.secret ? "" : `, found "${text?.slice(0, 100)}"`;
      throw wrong(facts.env, `${facts.description}. ${error.message}${shown}`);
    }
    found[name] = value;
  }
  const settings = found as Settings;
  const plain = settings.publicUrl === undefined || settings.publicUrl.startsWith("http:");
  if (plain && !settings.allowPlain && !isLoopback(settings.host)) {
    throw wrong(
      "MILLRACE_HOST",
      `${settings.host} serves other machines over plain http, where passwords can be read on the way. ` +
        "Put a TLS proxy in front and name it in MILLRACE_PUBLIC_URL, or accept this with MILLRACE_ALLOW_PLAIN=1",
    );
  }
  return { ...settings, dataFolder: resolve(settings.dataFolder) };
}

/** True for a host name or address that only this machine can reach. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);

/** The rows of the settings table in the documentation. */
export function settingRows(): { env: string; default: string; secret: boolean; description: string }[] {
  return Object.values(Settings.properties).map((schema) => {
    const facts = schema as unknown as SettingFacts;
    return {
      env: facts.env,
      default: facts.default === undefined ? "" : String(facts.default),
      secret: facts.secret,
      description: facts.description ?? "",
    };
  });
}
