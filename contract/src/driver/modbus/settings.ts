import { type Static, Type } from "@sinclair/typebox";

const Order = (what: string) =>
  Type.Union([Type.Literal("high-first"), Type.Literal("low-first")], {
    description: what,
    default: "high-first",
    examples: ["low-first"],
  });

const TCP = { setting: "transport", is: ["tcp", "rtuOverTcp"] };
const SERIAL = { setting: "transport", is: "serial" };

/** Bits a second of a serial line. Choices and not any number: others are typing errors more often than devices. */
const BAUD_RATES = [
  300, 600, 1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800,
] as const;

/** How the bytes of a serial line look, as every device on it must have it. */
const SERIAL_LINE = {
  serialPort: Type.Optional(
    Type.String({
      pattern: "^/[^\\s\\\\]{1,250}$",
      minLength: 2,
      maxLength: 251,
      main: true,
      when: SERIAL,
      description:
        "Serial port of the gateway, for transport serial. A name below /dev/serial/by-id stays the same when adapters are plugged elsewhere",
      examples: ["/dev/serial/by-id/usb-FTDI_FT232R_A50285BI-if00-port0", "/dev/ttyS0"],
    }),
  ),
  baudRate: Type.Union(
    BAUD_RATES.map((rate) => Type.Literal(rate)),
    {
      default: 19_200,
      main: true,
      when: SERIAL,
      unit: "bits/s",
      description: "Speed of the serial line, the same for every device on it",
      examples: [9_600, 19_200],
    },
  ),
  parity: Type.Union([Type.Literal("even"), Type.Literal("odd"), Type.Literal("none")], {
    default: "even",
    main: true,
    when: SERIAL,
    description: "Parity of the serial line, the same for every device on it",
    examples: ["even", "none"],
  }),
  stopBits: Type.Union([Type.Literal(1), Type.Literal(2)], {
    default: 1,
    when: SERIAL,
    description: "Stop bits of the serial line; the standard asks for 2 without parity, most devices have 1",
    examples: [1, 2],
  }),
  turnaroundMs: Type.Integer({
    minimum: 0,
    maximum: 10_000,
    default: 100,
    unit: "ms",
    when: { setting: "transport", is: ["rtuOverTcp", "serial"] },
    description:
      "Quiet time after a write to unit 0, which every device on a line takes and none answers; not for transport tcp",
    examples: [100, 200],
  }),
};

/**
 * Settings of one Modbus device, on TCP or on a serial line. Limits of 125 registers and 2000 bits are those of the Modbus Application
 * Protocol Specification V1.1b3, 6.1 to 6.4.
 */
export const ModbusSettings = Type.Object(
  {
    transport: Type.Union([Type.Literal("tcp"), Type.Literal("rtuOverTcp"), Type.Literal("serial")], {
      default: "tcp",
      main: true,
      description:
        "Modbus TCP; or the frames of a serial line (RTU), through a converter that passes them on as they are, or at a serial port of the gateway",
      examples: ["tcp", "serial"],
    }),
    host: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 253,
        main: true,
        when: TCP,
        description:
          "Host name or IP address of the device or of the converter in front of it; needed unless the transport is serial",
        examples: ["192.168.1.20", "plc-3.line-a.local"],
      }),
    ),
    port: Type.Integer({
      minimum: 1,
      maximum: 65_535,
      default: 502,
      main: true,
      when: TCP,
      description: "TCP port",
      examples: [502],
    }),
    unit: Type.Integer({
      minimum: 0,
      maximum: 255,
      default: 1,
      main: true,
      description: "Unit number; a device without a converter often wants 1 or 255",
      examples: [1, 255],
    }),
    ...SERIAL_LINE,
    timeoutMs: Type.Integer({
      minimum: 20,
      maximum: 60_000,
      default: 1_000,
      unit: "ms",
      description:
        "Longest wait for one answer; at a serial port counted from the end of the question, and without the time the bytes themselves take",
      examples: [1_000, 3_000],
    }),
    connectTimeoutMs: Type.Integer({
      minimum: 20,
      maximum: 60_000,
      default: 3_000,
      unit: "ms",
      when: TCP,
      description: "Longest wait for the TCP connection",
      examples: [3_000],
    }),
    gapMax: Type.Integer({
      minimum: 0,
      maximum: 124,
      default: 10,
      unit: "registers",
      description: "Unwanted registers a request may read across; 0 for devices that refuse holes",
      examples: [0, 10],
    }),
    bitGapMax: Type.Integer({
      minimum: 0,
      maximum: 1_999,
      default: 64,
      unit: "bits",
      description: "Unwanted coils or discrete inputs a request may read across",
      examples: [0, 64],
    }),
    registersMax: Type.Integer({
      minimum: 1,
      maximum: 125,
      default: 125,
      unit: "registers",
      description: "Most registers in one request; a smaller limit of the device is also found by itself",
      examples: [125, 32],
    }),
    bitsMax: Type.Integer({
      minimum: 1,
      maximum: 2_000,
      default: 2_000,
      unit: "bits",
      description: "Most coils or discrete inputs in one request",
      examples: [2_000, 256],
    }),
    wordOrder: Order(
      "Order of the registers of a value wider than one register, unless the tag says otherwise",
    ),
    byteOrder: Order("Order of the two bytes in a register, unless the tag says otherwise"),
    requestGapMs: Type.Integer({
      minimum: 0,
      maximum: 10_000,
      default: 0,
      unit: "ms",
      description: "Quiet time after an answer before the next request, for slow serial converters",
      examples: [0, 20],
    }),
    addressBase: Type.Union([Type.Literal(0), Type.Literal(1)], {
      default: 0,
      description:
        "Number of the first register in the manual of the device, for addresses such as holding:100. The 5 and 6 digit forms always count from 1",
      examples: [0, 1],
    }),
    idsNotEchoed: Type.Boolean({
      default: false,
      when: { setting: "transport", is: "tcp" },
      description:
        "The converter does not repeat our transaction id. We then match by unit, function and length, and reconnect after each timeout",
      examples: [false],
    }),
    writeBy: Type.Union([Type.Literal("single"), Type.Literal("multiple")], {
      default: "single",
      description:
        "Functions that write one coil or register: 5 and 6 (single), or 15 and 16 (multiple) for devices that know only these",
      examples: ["multiple"],
    }),
    illegalRetryMs: Type.Integer({
      minimum: 100,
      maximum: 86_400_000,
      default: 60_000,
      unit: "ms",
      description: "How long an address the device refused is left alone before we try it again",
      examples: [60_000],
    }),
  },
  { additionalProperties: false },
);
export type ModbusSettings = Static<typeof ModbusSettings>;

/** What the transport asks for beyond the schema. */
export function modbusSettingsProblem({ transport, host, serialPort }: ModbusSettings) {
  if (transport === "serial")
    return serialPort === undefined
      ? { setting: "serialPort", message: "transport serial needs the name of a port, such as /dev/ttyS0" }
      : null;
  return host === undefined
    ? { setting: "host", message: `transport ${transport} needs a host name or an IP address` }
    : null;
}

/** What devices of the same connection must agree on, in words; empty where nothing is to be agreed on. */
export function lineWords({ transport, baudRate, parity, stopBits }: ModbusSettings): string {
  return transport === "serial" ? `${baudRate} bits/s, parity ${parity}, ${stopBits} stop bit(s)` : "";
}

/**
 * What a request must obey. Every address carries it, because one session serves several devices of different
 * settings behind one converter.
 */
export type ModbusRules = Pick<
  ModbusSettings,
  | "timeoutMs"
  | "gapMax"
  | "bitGapMax"
  | "registersMax"
  | "bitsMax"
  | "requestGapMs"
  | "idsNotEchoed"
  | "writeBy"
  | "illegalRetryMs"
  | "turnaroundMs"
> & {
  /** See `lineWords`. */
  line: string;
};

const RULES = new WeakMap<ModbusSettings, ModbusRules>();

/** The rules of a device: one object per settings object, so that thousands of addresses share it. */
export function rulesOf(settings: ModbusSettings): ModbusRules {
  const known = RULES.get(settings);
  if (known !== undefined) return known;
  const rules: ModbusRules = {
    timeoutMs: settings.timeoutMs,
    gapMax: settings.gapMax,
    bitGapMax: settings.bitGapMax,
    registersMax: settings.registersMax,
    bitsMax: settings.bitsMax,
    requestGapMs: settings.requestGapMs,
    idsNotEchoed: settings.idsNotEchoed,
    writeBy: settings.writeBy,
    illegalRetryMs: settings.illegalRetryMs,
    turnaroundMs: settings.turnaroundMs,
    line: lineWords(settings),
  };
  RULES.set(settings, rules);
  return rules;
}
