import { type Static, Type } from "@sinclair/typebox";

/** Lower-case hexadecimal SHA-256 of a certificate's DER bytes. */
export const FINGERPRINT_PATTERN = "^[0-9a-f]{64}$";

/** Settings of one OPC UA server (OPC 10000-4, -6 and -7). */
export const OpcuaSettings = Type.Object(
  {
    endpoint: Type.String({
      minLength: 11,
      maxLength: 500,
      pattern: "^opc\\.tcp://[^\\s/?#@]+(/[^\\s]*)?$",
      main: true,
      description: "Address of the server; another host name in its own answer is ignored",
      examples: ["opc.tcp://192.168.1.20:4840", "opc.tcp://plc-3.line-a.local:4840/server"],
    }),
    security: Type.Union(
      [Type.Literal("sign-and-encrypt"), Type.Literal("sign"), Type.Literal("none-insecure")],
      {
        default: "sign-and-encrypt",
        main: true,
        description:
          "Protection of what is sent. none-insecure: anybody in the network may read along and answer in the server's place; to be chosen knowingly",
        examples: ["sign-and-encrypt", "none-insecure"],
      },
    ),
    policy: Type.Union(
      [
        Type.Literal("Basic256Sha256"),
        Type.Literal("Aes128_Sha256_RsaOaep"),
        Type.Literal("Aes256_Sha256_RsaPss"),
      ],
      {
        default: "Basic256Sha256",
        description: "Set of algorithms, when security is not none-insecure",
        examples: ["Basic256Sha256"],
      },
    ),
    serverFingerprint: Type.Optional(
      Type.String({
        pattern: FINGERPRINT_PATTERN,
        main: true,
        minLength: 64,
        maxLength: 64,
        description:
          "SHA-256 of the one server certificate that is trusted. Without it the server is refused, and its certificate is shown so that somebody can compare and trust it",
        examples: ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
      }),
    ),
    login: Type.Union([Type.Literal("anonymous"), Type.Literal("user"), Type.Literal("certificate")], {
      default: "anonymous",
      main: true,
      description:
        "How the gateway shows who it is: not at all, with user and password, or with userCertificate",
      examples: ["anonymous", "user"],
    }),
    user: Type.Optional(
      Type.String({
        main: true,
        when: { setting: "login", is: "user" },
        minLength: 1,
        maxLength: 200,
        description: "User name, for login user",
        examples: ["millrace"],
      }),
    ),
    password: Type.Optional(
      Type.String({
        main: true,
        when: { setting: "login", is: "user" },
        minLength: 1,
        maxLength: 200,
        secret: true,
        description: "Password, for login user; never sent in the clear",
        examples: ["…"],
      }),
    ),
    userCertificate: Type.Optional(
      Type.String({
        main: true,
        when: { setting: "login", is: "certificate" },
        minLength: 1,
        maxLength: 8_000,
        description: "Certificate as PEM, for login certificate",
        examples: ["-----BEGIN CERTIFICATE-----…"],
      }),
    ),
    userKey: Type.Optional(
      Type.String({
        main: true,
        when: { setting: "login", is: "certificate" },
        minLength: 1,
        maxLength: 8_000,
        secret: true,
        description: "Private key of userCertificate as PEM without a passphrase",
        examples: ["-----BEGIN PRIVATE KEY-----…"],
      }),
    ),
    updates: Type.Union([Type.Literal("subscribe"), Type.Literal("poll")], {
      default: "subscribe",
      description:
        "subscribe: the server tells changes by itself. poll: every tag is read at its interval; also done by itself where the server takes no subscriptions",
      examples: ["subscribe", "poll"],
    }),
    publishMs: Type.Integer({
      minimum: 50,
      maximum: 60_000,
      default: 500,
      unit: "ms",
      description: "How often the server sends the changes it has collected",
      examples: [500, 1_000],
    }),
    queueMax: Type.Integer({
      minimum: 0,
      maximum: 1_000,
      default: 0,
      unit: "values",
      description:
        "Values of one tag the server keeps until it sends; 0 for as many as a tag can have in that time, plus one",
      examples: [0, 10],
    }),
    serverDeadband: Type.Boolean({
      default: true,
      description:
        "Let the server hold back changes smaller than the tag's deadband. A server that refuses is asked without; the gateway filters in any case",
      examples: [true],
    }),
    keepAliveMs: Type.Integer({
      minimum: 500,
      maximum: 60_000,
      default: 2_500,
      unit: "ms",
      description:
        "How often a server with nothing to tell shows that it is there. Twice as long in silence, and the connection is made anew",
      examples: [2_500],
    }),
    nodesMax: Type.Integer({
      minimum: 0,
      maximum: 10_000,
      default: 0,
      unit: "nodes",
      description: "Most nodes in one request; 0 for what the server says, at most 500",
      examples: [0, 100],
    }),
    timeoutMs: Type.Integer({
      minimum: 200,
      maximum: 60_000,
      default: 5_000,
      unit: "ms",
      description: "Longest wait for one answer; grows by itself with the round trips that are measured",
      examples: [5_000, 15_000],
    }),
    connectTimeoutMs: Type.Integer({
      minimum: 200,
      maximum: 60_000,
      default: 5_000,
      unit: "ms",
      description: "Longest wait for each step of connecting",
      examples: [5_000],
    }),
    sessionTimeoutMs: Type.Integer({
      minimum: 5_000,
      maximum: 3_600_000,
      default: 30_000,
      unit: "ms",
      description:
        "How long the server keeps our session when the link is gone; short where it allows few sessions",
      examples: [30_000],
    }),
    missingRetryMs: Type.Integer({
      minimum: 500,
      maximum: 3_600_000,
      default: 5_000,
      unit: "ms",
      description:
        "First pause before nodes the server does not know are asked for again; it doubles up to a minute, or to this if longer",
      examples: [5_000],
    }),
  },
  { additionalProperties: false },
);
export type OpcuaSettings = Static<typeof OpcuaSettings>;

/** What one setting asks of another: the setting that is wrong and why, or null. */
export function opcuaSettingsProblem(settings: OpcuaSettings): { setting: string; message: string } | null {
  const needs = (name: "user" | "password" | "userCertificate" | "userKey") =>
    settings[name] === undefined
      ? { setting: name, message: `login "${settings.login}" needs ${name}` }
      : null;
  if (settings.login === "user") return needs("user") ?? needs("password");
  if (settings.login === "certificate") return needs("userCertificate") ?? needs("userKey");
  return null;
}
