import { type Static, Type } from "@sinclair/typebox";
import type { SettingsDeclaration } from "../driver/declaration.ts";
import { MqttSettings, mqttSettingsProblem } from "../driver/mqtt/settings.ts";

/** Sparkplug 3.0, 4.1: an identifier is any text but for what means something in a topic. */
export const SparkplugId = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: "^[^+#/\\u0000-\\u001f\\u007f]+$",
  description: "Any text without + # / and control characters",
  examples: ["Line 1"],
});

/** Devices whose identifier somebody wrote. */
export const SPARKPLUG_IDS_MAX = 10_000;

const { broker, user, password, version, ca, clientCertificate, clientKey, serverName } =
  MqttSettings.properties;
const { keepAliveMs, timeoutMs, clientId, messageBytesMax } = MqttSettings.properties;

/** A gateway as edge node of a Sparkplug B 3.0 plant: the broker, and how it is called there. */
export const SparkplugSettings = Type.Object(
  {
    broker,
    user,
    password,
    groupId: Type.Optional(
      Type.String({
        ...SparkplugId,
        main: true,
        description: "Group; left out, the name of the site the gateway stands at",
        examples: ["Plant"],
      }),
    ),
    edgeNodeId: Type.Optional(
      Type.String({
        ...SparkplugId,
        main: true,
        description: "Edge node; left out, the gateway's name. Group and edge node together must be unique",
        examples: ["Gateway 1"],
      }),
    ),
    deviceIds: Type.Optional(
      Type.Record(Type.String({ minLength: 1, maxLength: 1_000 }), SparkplugId, {
        maxProperties: SPARKPLUG_IDS_MAX,
        description:
          "Identifier of a device by its path; left out, its name, and its path where two devices have one name",
        examples: [{ "Plant/Hall 1/Press 2": "PRESS-02" }],
      }),
    ),
    primaryHost: Type.Optional(
      Type.String({
        ...SparkplugId,
        main: true,
        description:
          "Host application without which nothing is told: births wait until it is online, and what happens meanwhile is kept. Left out, nobody is waited for",
        examples: ["scada"],
      }),
    ),
    writes: Type.Boolean({
      default: false,
      main: true,
      description:
        "A host may write to tags that may be written with a mere confirmation (class 1), within their limits. Off: every such command is refused and told as an event",
      examples: [false],
    }),
    historySamplesMax: Type.Integer({
      minimum: 0,
      maximum: 10_000_000,
      default: 500_000,
      unit: "samples",
      description:
        "How many changes are kept on the gateway's disk while the broker or the host is away, about 120 bytes each; then the oldest are dropped and counted. They are told as history afterwards",
      examples: [500_000],
    }),
    version,
    clientId,
    ca,
    clientCertificate,
    clientKey,
    serverName,
    keepAliveMs,
    timeoutMs,
    messageBytesMax,
  },
  { additionalProperties: false },
);
export type SparkplugSettings = Static<typeof SparkplugSettings>;

/** No driver, but filled in and judged as the settings of one. */
export const sparkplugDeclaration: SettingsDeclaration<typeof SparkplugSettings> = {
  kind: "sparkplug",
  label: "Sparkplug",
  settings: SparkplugSettings,
  settingsProblem: mqttSettingsProblem,
};
