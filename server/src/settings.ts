import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { asAppError } from "@millrace/contract/error/app-error";
import { isLoopback } from "@millrace/contract/std/loopback";
import { type Environment, readEnvironment, Setting, settingWrong } from "@millrace/contract/std/setting";
import { type Static, Type } from "@sinclair/typebox";
import { readProxies } from "./http/address.ts";
import { REQUESTS } from "./http/limit/request-limits.ts";
import { PEOPLE_SETTINGS, ssoSettings } from "./settings-people.ts";
import { checkTlsSettings, TLS_SETTINGS } from "./tls/settings.ts";

/** Everything an operator may set on the hub, each by an environment variable. */
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
  ...TLS_SETTINGS,
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
  ...PEOPLE_SETTINGS,
  secretsKey: Setting(
    "MILLRACE_SECRETS_KEY",
    Type.Optional(
      Type.String({
        pattern: "^[A-Za-z0-9_-]{43}=?$",
        description:
          "Key under which passwords of devices lie in the database, 32 bytes as base64url; default: a file in MILLRACE_DATA",
      }),
    ),
    true,
  ),
  historian: Setting(
    "MILLRACE_HISTORIAN",
    Type.Boolean({
      default: true,
      description: "0 leaves moving samples into the history to other hubs on the same database",
    }),
  ),
  dayQuietS: Setting(
    "MILLRACE_DAY_QUIET_S",
    Type.Integer({
      minimum: 0,
      maximum: 86_400,
      default: 600,
      description:
        "Seconds after which a past day without late samples is closed in the history; late samples open it again",
    }),
  ),
  trustedProxies: Setting(
    "MILLRACE_TRUSTED_PROXIES",
    Type.String({
      default: "",
      maxLength: 4_000,
      description:
        "Addresses and networks of proxies whose X-Forwarded-For is believed, parted by commas; none: the header counts for nothing",
      examples: ["10.0.3.7, fd00:3::/64"],
    }),
  ),
  addressPer10S: Setting(
    "MILLRACE_ADDRESS_REQUESTS_PER_10S",
    Type.Integer({
      minimum: 10,
      maximum: 1_000_000,
      default: REQUESTS.addressPer10S,
      description: "Requests taken in 10 s from one address, or from one IPv6 network of 64 bits",
    }),
  ),
  accountPer10S: Setting(
    "MILLRACE_ACCOUNT_REQUESTS_PER_10S",
    Type.Integer({
      minimum: 10,
      maximum: 1_000_000,
      default: REQUESTS.accountPer10S,
      description: "Requests taken in 10 s from one person or API key",
    }),
  ),
  metricsOpen: Setting(
    "MILLRACE_METRICS_OPEN",
    Type.Boolean({
      default: false,
      description: "1 shows /metrics to everybody; else loopback or an API key",
    }),
  ),
  securityContact: Setting(
    "MILLRACE_SECURITY_CONTACT",
    Type.Optional(
      Type.String({
        pattern: "^(mailto:|https://|tel:)[!-~]+$",
        maxLength: 200,
        description:
          "Whom to tell of a weakness of this hub; shown to everybody at /.well-known/security.txt, which is not there without it",
        examples: ["mailto:security@plant.example"],
      }),
    ),
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

/**
 * Reads the settings from the environment, once.
 * @throws AppError `setting.wrong` naming the variable and what would be right, never the value of a secret
 */
export function readSettings(environment: Environment): Settings {
  const settings = readEnvironment(Settings, environment, (path) => readFileSync(path, "utf8"));
  checkTlsSettings(settings);
  const plain =
    settings.tls === "off" && (settings.publicUrl === undefined || settings.publicUrl.startsWith("http:"));
  if (plain && !settings.allowPlain && !isLoopback(settings.host)) {
    throw settingWrong(
      "MILLRACE_HOST",
      `${settings.host} serves other machines over plain http, where passwords can be read on the way. ` +
        "Turn on MILLRACE_TLS, or put a TLS proxy in front and name it in MILLRACE_PUBLIC_URL, or accept this with MILLRACE_ALLOW_PLAIN=1.",
    );
  }
  // Said wrongly, it shall be known at the start and not at somebody's first sign-in.
  ssoSettings(settings);
  try {
    readProxies(settings.trustedProxies);
  } catch (thrown) {
    throw settingWrong("MILLRACE_TRUSTED_PROXIES", asAppError(thrown).message);
  }
  return { ...settings, dataFolder: resolve(settings.dataFolder) };
}
