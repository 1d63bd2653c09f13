import { type Static, Type } from "@sinclair/typebox";

/** CPU families, as the nameplate says. */
export const S7_FAMILIES = ["1500", "1200", "400", "300", "LOGO", "200"] as const;
export type S7Family = (typeof S7_FAMILIES)[number];

const Tsap = (description: string, example: string) =>
  Type.Optional(
    Type.String({ pattern: "^[0-9A-Fa-f]{2}\\.?[0-9A-Fa-f]{2}$", description, examples: [example] }),
  );

/** Settings of one Siemens CPU reached by ISO-on-TCP (RFC 1006). */
export const S7Settings = Type.Object(
  {
    host: Type.String({
      minLength: 1,
      maxLength: 253,
      main: true,
      description: "Host name or IP address of the CPU or of its communication processor",
      examples: ["192.168.0.1", "press-4.line-a.local"],
    }),
    port: Type.Integer({
      minimum: 1,
      maximum: 65_535,
      default: 102,
      description: "TCP port",
      examples: [102],
    }),
    family: Type.Union(
      S7_FAMILIES.map((family) => Type.Literal(family)),
      {
        default: "1500",
        main: true,
        description:
          "CPU family, as on the nameplate. It says where the CPU sits unless rack, slot or TSAP say otherwise",
        examples: ["1200", "300", "LOGO"],
      },
    ),
    rack: Type.Integer({
      minimum: 0,
      maximum: 7,
      default: 0,
      description: "Rack of the CPU; 0 but for large S7-400",
      examples: [0],
    }),
    slot: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 31,
        main: true,
        description: "Slot of the CPU. Empty: 1 for 1200 and 1500, 2 for 300, 3 for 400",
        examples: [1, 2, 3],
      }),
    ),
    connectionType: Type.Union([Type.Literal("OP"), Type.Literal("PG"), Type.Literal("basic")], {
      default: "OP",
      description:
        "Which of the CPU's connections we take: that of a panel, of a programming device, or a free one",
      examples: ["basic"],
    }),
    localTsap: Tsap("Our TSAP in hex, for LOGO! and S7-200. Empty: 01.00, S7-200 10.00", "03.00"),
    remoteTsap: Tsap(
      "TSAP of the CPU in hex, instead of rack and slot. Empty: by rack and slot; LOGO! 02.00, S7-200 10.01",
      "02.00",
    ),
    timeoutMs: Type.Integer({
      minimum: 50,
      maximum: 60_000,
      default: 2_000,
      unit: "ms",
      description: "Longest wait for one answer",
      examples: [2_000, 5_000],
    }),
    connectTimeoutMs: Type.Integer({
      minimum: 50,
      maximum: 60_000,
      default: 5_000,
      unit: "ms",
      description: "Longest wait until TCP, ISO and S7 have shaken hands",
      examples: [5_000],
    }),
    pduMax: Type.Integer({
      minimum: 240,
      maximum: 960,
      default: 960,
      unit: "bytes",
      description: "Longest telegram we ask for; the CPU answers with what it can and we obey",
      examples: [960, 480, 240],
    }),
    jobsMax: Type.Integer({
      minimum: 1,
      maximum: 8,
      default: 8,
      unit: "requests",
      description: "Requests under way at once that we ask for; the CPU answers with what it can and we obey",
      examples: [8, 1],
    }),
    gapMax: Type.Integer({
      minimum: 0,
      maximum: 400,
      default: 32,
      unit: "bytes",
      description: "Unwanted bytes one item of a request may read across",
      examples: [32, 0],
    }),
    dbLengthCheck: Type.Boolean({
      default: true,
      description:
        "S7-300 and 400: watch length and declaration time of each data block; after a change its tags are bad until the device is published again",
      examples: [false],
    }),
    illegalRetryMs: Type.Integer({
      minimum: 100,
      maximum: 86_400_000,
      default: 60_000,
      unit: "ms",
      description: "How long an address the CPU refused is left alone before we try it again",
      examples: [60_000],
    }),
  },
  { additionalProperties: false },
);
export type S7Settings = Static<typeof S7Settings>;

/** What a request must obey; every address carries it, since one session serves all devices of one CPU. */
export type S7Rules = Pick<
  S7Settings,
  "family" | "timeoutMs" | "gapMax" | "illegalRetryMs" | "dbLengthCheck"
>;

const RULES = new WeakMap<S7Settings, S7Rules>();

/** The rules of a device: one object per settings object, so that thousands of addresses share it. */
export function rulesOf(settings: S7Settings): S7Rules {
  const known = RULES.get(settings);
  if (known !== undefined) return known;
  const { family, timeoutMs, gapMax, illegalRetryMs, dbLengthCheck } = settings;
  const rules: S7Rules = { family, timeoutMs, gapMax, illegalRetryMs, dbLengthCheck };
  RULES.set(settings, rules);
  return rules;
}

const SLOT: Record<S7Family, number> = { "1500": 1, "1200": 1, "400": 3, "300": 2, LOGO: 0, "200": 0 };
const TYPE = { PG: 1, OP: 2, basic: 3 } as const;
const FIXED: Partial<Record<S7Family, { local: number; remote: number }>> = {
  LOGO: { local: 0x0100, remote: 0x0200 },
  "200": { local: 0x1000, remote: 0x1001 },
};

export const slotOf = ({ family, slot }: Pick<S7Settings, "family" | "slot">): number => slot ?? SLOT[family];

/** Whether rack and slot find this CPU; else its TSAP does. */
export const hasSlots = ({ family, remoteTsap }: S7Settings): boolean =>
  remoteTsap === undefined && FIXED[family] === undefined;

const read = (text: string): number => Number.parseInt(text.replace(".", ""), 16);

/** The two transport selectors of the ISO connection (RFC 905, 13.3): who calls, and who is called. */
export function tsapsOf(settings: S7Settings): { local: number; remote: number } {
  const fixed = FIXED[settings.family];
  const { localTsap, remoteTsap, rack, connectionType } = settings;
  return {
    local: localTsap === undefined ? (fixed?.local ?? 0x0100) : read(localTsap),
    remote:
      remoteTsap === undefined
        ? (fixed?.remote ?? (TYPE[connectionType] << 8) | (rack << 5) | slotOf(settings))
        : read(remoteTsap),
  };
}
