import { type Static, Type } from "@sinclair/typebox";

/** What a driver of messages asks for each device alike. */
export const messageSettings = {
  staleMs: Type.Integer({
    minimum: 0,
    maximum: 604_800_000,
    default: 600_000,
    unit: "ms",
    main: true,
    description:
      "How long a value stands without a new message; then the tag has no value. 0 for a device that only tells changes and may be silent for ever",
    examples: [60_000, 0],
  }),
  missing: Type.Union([Type.Literal("bad"), Type.Literal("keep")], {
    default: "bad",
    description:
      "When a JSON message lacks the tag's place. bad: the tag has no value. keep: the value before stands, for devices that send only what changed",
    examples: ["bad", "keep"],
  }),
};

/** Settings of one device behind an MQTT broker (MQTT 3.1.1 and 5.0). */
export const MqttSettings = Type.Object(
  {
    broker: Type.String({
      minLength: 8,
      maxLength: 300,
      pattern: "^mqtts?://([^\\s/?#@:\\[\\]]+|\\[[0-9a-fA-F:.]+\\])(:[0-9]{1,5})?/?$",
      main: true,
      description:
        "Address of the broker: mqtts:// with TLS, port 8883 unless another is given; mqtt:// without, port 1883, where everybody in the network may read along",
      examples: ["mqtts://broker.plant.local", "mqtt://192.168.1.30:1883"],
    }),
    user: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        main: true,
        description: "User name",
        examples: ["millrace"],
      }),
    ),
    password: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 500,
        secret: true,
        main: true,
        description: "Password of the user; with mqtt:// it goes over the network in the clear",
        examples: ["…"],
      }),
    ),
    ...messageSettings,
    aliveTopic: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 300,
        pattern: "^[^+#\\u0000-\\u001f]+$",
        description: "Topic at which the device, or its last will, says that it is gone",
        examples: ["tele/press/LWT"],
      }),
    ),
    offlinePayload: Type.String({
      minLength: 1,
      maxLength: 100,
      default: "offline",
      description: "What stands there then; any other message says that the device is back",
      examples: ["offline", "0"],
    }),
    version: Type.Union([Type.Literal("auto"), Type.Literal("5"), Type.Literal("3.1.1")], {
      default: "auto",
      description: "Version of MQTT. auto: 5, and 3.1.1 with a broker that does not know it",
      examples: ["auto", "3.1.1"],
    }),
    qos: Type.Union([Type.Literal(0), Type.Literal(1)], {
      default: 1,
      description:
        "0: what is lost on the way is lost. 1: the broker repeats it. 2 is not used: it stalls at restarts and adds nothing for values",
      examples: [1],
    }),
    clientId: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        pattern: "^[A-Za-z0-9_.:-]+$",
        description: "Client id, where the broker wants a certain one; otherwise the gateway keeps its own",
        examples: ["millrace-line1"],
      }),
    ),
    resume: Type.Boolean({
      default: true,
      description:
        "The broker keeps what comes with quality of service 1 while the link is down. Values that carry no time of their own are then marked as of unknown age",
      examples: [true],
    }),
    ca: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 20_000,
        description: "Certificate as PEM that the broker's is signed by, where it is none of the public ones",
        examples: ["-----BEGIN CERTIFICATE-----…"],
      }),
    ),
    clientCertificate: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 20_000,
        description: "Certificate as PEM by which the broker knows this gateway",
        examples: ["-----BEGIN CERTIFICATE-----…"],
      }),
    ),
    clientKey: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 20_000,
        secret: true,
        description: "Private key of clientCertificate as PEM without a passphrase",
        examples: ["-----BEGIN PRIVATE KEY-----…"],
      }),
    ),
    serverName: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 253,
        description: "Name in the broker's certificate, where it is another than in its address",
        examples: ["broker.example.com"],
      }),
    ),
    rebirth: Type.Boolean({
      default: true,
      description:
        "Ask a Sparkplug edge node for its birth message when it was missed. Without it values wait for the next birth",
      examples: [true],
    }),
    keepAliveMs: Type.Integer({
      minimum: 1_000,
      maximum: 60_000,
      default: 5_000,
      unit: "ms",
      description:
        "How often the broker is asked whether it is there, in whole seconds; half as long again without an answer, and the link is made anew",
      examples: [5_000],
    }),
    timeoutMs: Type.Integer({
      minimum: 200,
      maximum: 60_000,
      default: 5_000,
      unit: "ms",
      description: "Longest wait for one answer of the broker, also when connecting",
      examples: [5_000, 15_000],
    }),
    firstValueMs: Type.Integer({
      minimum: 100,
      maximum: 60_000,
      default: 3_000,
      unit: "ms",
      description:
        "How long a test waits for the first message of each tag; after it a tag is told to be waiting",
      examples: [3_000],
    }),
    reportMs: Type.Integer({
      minimum: 100,
      maximum: 8_000,
      default: 3_000,
      unit: "ms",
      description:
        "How long a device that was told a value has to report it at the tag's own topic; without a report nobody knows whether it took it",
      examples: [3_000],
    }),
    messageBytesMax: Type.Integer({
      minimum: 1_024,
      maximum: 4_194_304,
      default: 262_144,
      unit: "bytes",
      description: "Largest message taken from the broker; a larger one ends the connection",
      examples: [262_144],
    }),
  },
  { additionalProperties: false },
);
export type MqttSettings = Static<typeof MqttSettings>;

/** What one setting asks of another: the setting that is wrong and why, or null. */
export function mqttSettingsProblem(
  settings: Pick<MqttSettings, "broker" | "user" | "password" | "ca" | "clientCertificate" | "clientKey">,
): { setting: string; message: string } | null {
  const { broker, user, password, ca, clientCertificate, clientKey } = settings;
  if (password !== undefined && user === undefined)
    return { setting: "user", message: "a password needs a user name" };
  if (clientCertificate !== undefined && clientKey === undefined)
    return { setting: "clientKey", message: "clientCertificate needs its key" };
  if (clientKey !== undefined && clientCertificate === undefined)
    return { setting: "clientCertificate", message: "clientKey needs its certificate" };
  if (broker.startsWith("mqtt://") && (ca !== undefined || clientCertificate !== undefined))
    return { setting: "broker", message: "certificates are for mqtts://" };
  const port = Number(/:(\d{1,5})\/?$/.exec(broker)?.[1] ?? 1);
  if (port < 1 || port > 65_535) return { setting: "broker", message: "a port is a number from 1 to 65535" };
  return null;
}
