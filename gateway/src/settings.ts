import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { isLoopback } from "@millrace/contract/std/loopback";
import { type Environment, readEnvironment, Setting, settingWrong } from "@millrace/contract/std/setting";
import { AUTHORITY_PIN_PATTERN } from "@millrace/contract/wire/hub-trust";
import { type Static, Type } from "@sinclair/typebox";
import { pinProblem, plainPin } from "./local/access/pin.ts";
import { checkListenHost } from "./local/listen.ts";

/** Everything an operator may set on a gateway, each by an environment variable. */
export const Settings = Type.Object({
  dataFolder: Setting(
    "MILLRACE_DATA",
    Type.String({
      minLength: 1,
      default: "./data/gateway",
      description: "Folder of this gateway alone: its key, its manifest and its buffer",
    }),
  ),
  hubUrl: Setting(
    "MILLRACE_HUB_URL",
    Type.String({
      pattern: "^https?://[^/?#@\\s]+/?$",
      default: "http://localhost:8080",
      description: "Address of the hub: http:// or https:// with host and port",
      examples: ["https://millrace.example.com"],
    }),
  ),
  claimToken: Setting(
    "MILLRACE_CLAIM_TOKEN",
    Type.Optional(
      Type.String({
        minLength: 20,
        maxLength: 200,
        description: "One-time token of the hub; needed once, until the gateway is enrolled",
      }),
    ),
    true,
  ),
  hubCa: Setting(
    "MILLRACE_HUB_CA",
    Type.Optional(
      Type.String({
        pattern: AUTHORITY_PIN_PATTERN,
        description:
          "Fingerprint of the hub's own authority, as in the hub's claim command; needed once, until the gateway is enrolled",
      }),
    ),
  ),
  armWrites: Setting(
    "MILLRACE_ARM_WRITES",
    Type.Boolean({
      default: false,
      description:
        "Write nothing from afar that was not armed at the local page, also where the tag does not ask for it",
    }),
  ),
  localHost: Setting(
    "MILLRACE_LOCAL_HOST",
    Type.String({ minLength: 1, default: "127.0.0.1", description: "Address the local page listens at" }),
  ),
  localPort: Setting(
    "MILLRACE_LOCAL_PORT",
    Type.Integer({
      minimum: 0,
      maximum: 65_535,
      default: 8081,
      description: "Port of the local page; 0 takes any",
    }),
  ),
  localNames: Setting(
    "MILLRACE_LOCAL_NAMES",
    Type.String({
      default: "",
      pattern: "^[A-Za-z0-9.:\\[\\]_, -]*$",
      description: "Further host names the local page answers to, with commas between",
      examples: ["gw-42.local,192.168.0.5"],
    }),
  ),
  localAllowPublic: Setting(
    "MILLRACE_LOCAL_ALLOW_PUBLIC",
    Type.Boolean({
      default: false,
      description: "1 lets the local page listen at an address that is not private, or at all addresses",
    }),
  ),
  localPin: Setting(
    "MILLRACE_LOCAL_PIN",
    Type.Optional(
      Type.String({
        minLength: 8,
        maxLength: 64,
        description:
          "First PIN of the local page, instead of one made by chance; the first sign-in asks for another",
      }),
    ),
    true,
  ),
  localToken: Setting(
    "MILLRACE_LOCAL_TOKEN",
    Type.Optional(
      Type.String({
        minLength: 32,
        maxLength: 200,
        pattern: "^[\\x21-\\x7e]+$",
        description: "Bearer token for programs that read /metrics and /api/v1/status of the local page",
      }),
    ),
    true,
  ),
  localTlsCertFile: Setting(
    "MILLRACE_LOCAL_TLS_CERT_FILE",
    Type.String({ default: "", description: "Certificate (PEM) for https at the local page; with its key" }),
  ),
  localTlsKeyFile: Setting(
    "MILLRACE_LOCAL_TLS_KEY_FILE",
    Type.String({ default: "", description: "Private key (PEM) of that certificate" }),
  ),
  intakeMqttHost: Setting(
    "MILLRACE_INTAKE_MQTT_HOST",
    Type.String({
      default: "",
      description:
        "Address of the plant's side at which the gateway's own MQTT broker listens for devices; empty for none",
      examples: ["192.168.0.5"],
    }),
  ),
  intakeMqttPort: Setting(
    "MILLRACE_INTAKE_MQTT_PORT",
    Type.Integer({
      minimum: 0,
      maximum: 65_535,
      default: 8883,
      description: "Port of that broker; 0 takes any",
    }),
  ),
  intakeHttpHost: Setting(
    "MILLRACE_INTAKE_HTTP_HOST",
    Type.String({
      default: "",
      description: "Address of the plant's side at which devices may send by HTTP; empty for none",
      examples: ["192.168.0.5"],
    }),
  ),
  intakeHttpPort: Setting(
    "MILLRACE_INTAKE_HTTP_PORT",
    Type.Integer({ minimum: 0, maximum: 65_535, default: 8082, description: "Port for that; 0 takes any" }),
  ),
  intakeTlsCertFile: Setting(
    "MILLRACE_INTAKE_TLS_CERT_FILE",
    Type.String({ default: "", description: "Certificate (PEM) devices find at both; with its key" }),
  ),
  intakeTlsKeyFile: Setting(
    "MILLRACE_INTAKE_TLS_KEY_FILE",
    Type.String({ default: "", description: "Private key (PEM) of that certificate" }),
  ),
  intakeAllowPlain: Setting(
    "MILLRACE_INTAKE_ALLOW_PLAIN",
    Type.Boolean({
      default: false,
      description: "1 lets devices send without TLS; their tokens can then be read on the way",
    }),
  ),
  intakeAllowPublic: Setting(
    "MILLRACE_INTAKE_ALLOW_PUBLIC",
    Type.Boolean({
      default: false,
      description: "1 lets both listen at an address that is not private, or at all addresses",
    }),
  ),
  outboxBytesMax: Setting(
    "MILLRACE_OUTBOX_BYTES_MAX",
    Type.Integer({
      minimum: 16 * 1024 * 1024,
      maximum: 1024 ** 4,
      default: 1024 ** 3,
      description: "Most bytes the buffer may use on disk, a tenth of them kept for events",
    }),
  ),
  outboxMode: Setting(
    "MILLRACE_OUTBOX_MODE",
    Type.Union([Type.Literal("thin-then-drop"), Type.Literal("drop-oldest"), Type.Literal("keep-oldest")], {
      default: "thin-then-drop",
      description:
        "What a full buffer does with samples the hub has not: thin the oldest to one-minute figures and drop only then; drop the oldest, raw or not at all; or keep the oldest and refuse new ones. Each loss is recorded as a gap",
    }),
  ),
  ackedKeepHours: Setting(
    "MILLRACE_ACKED_KEEP_HOURS",
    Type.Integer({
      minimum: 0,
      maximum: 24 * 365,
      default: 48,
      description: "How long delivered data is kept, in case the hub is restored from a backup",
    }),
  ),
  allowPlain: Setting(
    "MILLRACE_ALLOW_PLAIN",
    Type.Boolean({
      default: false,
      description: "1 allows a hub on another machine without TLS, where everything can be read on the way",
    }),
  ),
  logLevel: Setting(
    "MILLRACE_LOG_LEVEL",
    Type.Union(
      [Type.Literal("debug"), Type.Literal("info"), Type.Literal("warning"), Type.Literal("error")],
      { default: "info", description: "debug, info, warning or error" },
    ),
  ),
  logFormat: Setting(
    "MILLRACE_LOG_FORMAT",
    Type.Union([Type.Literal("auto"), Type.Literal("text"), Type.Literal("json")], {
      default: "auto",
      description: "text, json, or auto: text in a terminal, else json",
    }),
  ),
});
export type Settings = Static<typeof Settings>;

/**
 * Reads the settings from the environment, once.
 * @throws AppError `setting.wrong` naming the variable, what was found (never a secret) and what would be right.
 */
export function readSettings(environment: Environment): Settings {
  const settings = readEnvironment(Settings, environment, (path) => readFileSync(path, "utf8"));
  checkPlain(settings);
  if (settings.localPin !== undefined) checkPin(settings.localPin);
  checkListenHost(settings.localHost, settings.localAllowPublic);
  return { ...settings, dataFolder: resolve(settings.dataFolder) };
}

function checkPin(pin: string): void {
  const problem = pinProblem(plainPin(pin));
  if (problem !== null) throw settingWrong("MILLRACE_LOCAL_PIN", `it is too easy to guess. ${problem}`);
}

function checkPlain({ hubUrl, allowPlain, hubCa }: Settings): void {
  const url = URL.parse(hubUrl);
  if (url === null) throw settingWrong("MILLRACE_HUB_URL", `"${hubUrl}" is not an address.`);
  if (hubCa !== undefined && url.protocol !== "https:")
    throw settingWrong("MILLRACE_HUB_URL", `found "${hubUrl}", expected https:// beside MILLRACE_HUB_CA.`);
  if (url.protocol === "https:" || allowPlain || isLoopback(url.hostname)) return;
  throw settingWrong(
    "MILLRACE_HUB_URL",
    `found "${hubUrl}", expected https://. MILLRACE_ALLOW_PLAIN=1 allows http:// to another machine, readable on the way.`,
  );
}
