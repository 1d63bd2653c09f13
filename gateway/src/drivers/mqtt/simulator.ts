import { createServer, type Server } from "node:net";
import { Aedes } from "aedes";
import { Line } from "../../driver/cuttable-line.ts";

/** A broker in this process. `values` are sent to whoever subscribes, live and not as kept ones. */
export class BrokerSimulator {
  readonly aedes: Aedes;
  readonly #server: Server;
  readonly values: Map<string, string | Uint8Array>;
  /** Topics nobody may have. */
  readonly refused = new Set<string>();
  /** Devices that obey: the command topic of each, and the topic where it reports what it was told. */
  readonly obeys = new Map<string, string>();

  private constructor(aedes: Aedes, server: Server, values: Map<string, string | Uint8Array>) {
    this.aedes = aedes;
    this.#server = server;
    this.values = values;
  }

  static async start(values: Record<string, string | Uint8Array> = {}): Promise<BrokerSimulator> {
    const aedes = await Aedes.createBroker();
    const server = createServer((socket) => aedes.handle(socket));
    const broker = new BrokerSimulator(aedes, server, new Map(Object.entries(values)));
    aedes.authorizeSubscribe = (_client, subscription, done) =>
      done(null, broker.refused.has(subscription.topic) ? null : subscription);
    aedes.on("subscribe", (subscriptions) => {
      for (const { topic } of subscriptions) {
        const value = broker.values.get(topic);
        if (value !== undefined) broker.send(topic, value);
      }
    });
    aedes.on("publish", ({ topic, payload }, client) => {
      const state = broker.obeys.get(topic);
      if (client === null || state === undefined) return;
      const told = payload.toString();
      // A device that is told by JSON keeps its other members.
      const before = broker.values.get(state);
      const kept = told.startsWith("{")
        ? JSON.stringify({ ...JSON.parse(String(before)), ...JSON.parse(told) })
        : told;
      broker.values.set(state, kept);
      broker.send(state, kept);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return broker;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  send(topic: string, payload: string | Uint8Array, { retain = false, qos = 0 as 0 | 1 } = {}): void {
    this.aedes.publish(
      { cmd: "publish", topic, payload: Buffer.from(payload as Uint8Array), qos, retain, dup: false },
      () => undefined,
    );
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.aedes.close(() => resolve()));
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

const JSON_TOPIC = "plant/json";

const MALFORMED = [
  "",
  "a/b+/c",
  "a/#/b",
  "a/b#",
  "a json=",
  "a json=$.",
  "a json=$..b",
  "a json=$[*]",
  "a json=$[99999]",
  "a time=$.t",
  "a json=$.b json=$.c",
  "a metric=x",
  "$share/all/a",
  "spBv1.0/G/E",
  "spBv1.0/G metric=x",
  "spBv1.0/G/+ metric=x",
  "spBv1.0/G/E/D/X metric=x",
  "spBv1.0/G/E metric=x json=$.y",
  "spBv1.0/G/E metric=x set=a",
  "a set=",
  "a set=a",
  "a set=b/+",
  "a set=$SYS/b",
  "+/a set=b",
  "a setjson=$.x",
  "a set=b setjson=$.x[0]",
  "a set=b on=ON off=OFF",
];

/** Devices that report at these topics what they are told at the same with `/set`. */
const OBEDIENT: Record<string, string> = {
  "valve/open": "OFF",
  "valve/uint8": "0",
  "valve/int16": "0",
  "valve/int64": "0",
  "valve/float": "0",
  "valve/double": "0",
  "valve/text": "-",
  lamp: `{"state":"OFF","level":1,"name":"x"}`,
};

const set = (topic: string, json = ""): string =>
  json === "" ? `${topic} set=${topic}/set` : `${topic} json=${json} set=${topic}/set setjson=${json}`;

/** What can be written there, and what cannot. */
const WRITES = {
  writable: [
    { address: `${set("valve/open")} on=ON off=OFF`, dataType: "boolean" as const, value: true },
    { address: set("valve/uint8"), dataType: "uint8" as const, value: 200 },
    { address: set("valve/int16"), dataType: "int16" as const, value: -7 },
    { address: set("valve/int64"), dataType: "int64" as const, value: -9_007_199_254_740_993n },
    { address: set("valve/float"), dataType: "float32" as const, value: 2.5 },
    { address: set("valve/double"), dataType: "float64" as const, value: 0.1 },
    { address: set("valve/text"), dataType: "text" as const, value: "Mühle 7" },
    { address: `${set("lamp", "$.state")} on=ON off=OFF`, dataType: "boolean" as const, value: true },
    { address: set("lamp", "$.level"), dataType: "int32" as const, value: 77 },
    { address: set("lamp", "$.name"), dataType: "text" as const, value: `a "b"` },
  ],
  unwritable: [
    { address: "plant/int32", dataType: "int32" as const, value: 1 },
    { address: set("valve/uint8"), dataType: "uint8" as const, value: 256 },
    { address: set("valve/double"), dataType: "float64" as const, value: Number.NaN },
  ],
};

const WRONG = [
  { settings: {}, setting: "broker" },
  { settings: { broker: "http://plc:4840" }, setting: "broker" },
  { settings: { broker: "mqtt://user:secret@plc" }, setting: "broker" },
  { settings: { broker: "mqtt://plc:70000" }, setting: "broker" },
  { settings: { broker: "mqtt://plc", password: "x" }, setting: "user" },
  { settings: { broker: "mqtt://plc", ca: "PEM" }, setting: "broker" },
  { settings: { broker: "mqtts://plc", clientKey: "PEM" }, setting: "clientCertificate" },
  { settings: { broker: "mqtt://plc", qos: 2 }, setting: "qos" },
  { settings: { broker: "mqtt://plc", keepAliveMs: 5 }, setting: "keepAliveMs" },
];

/** The device for the conformance suite; see `driver/conformance.ts`. */
export async function conformanceDevice() {
  const state = `{"switch":true,"list":[-7,8.25],"big":-1234567890123456789,"deep":{"a b":"Mühle"}}`;
  const broker = await BrokerSimulator.start({
    "plant/flag": "ON",
    "plant/int8": "-128",
    "plant/uint16": "65535",
    "plant/int32": "-123456",
    "plant/uint32": "4294967295",
    "plant/uint64": "18446744073709551615",
    "plant/float": "123.5",
    "plant/double": `${Math.PI}`,
    "plant/text": "Mühle",
    [JSON_TOPIC]: state,
    ...OBEDIENT,
  });
  for (const topic of Object.keys(OBEDIENT)) broker.obeys.set(`${topic}/set`, topic);
  broker.refused.add("plant/nothing");
  const line = await Line.to(broker.port);
  const settings = { broker: `mqtt://127.0.0.1:${line.port}`, timeoutMs: 3_000, firstValueMs: 1_000 };
  return {
    settings,
    readable: [
      { address: "plant/flag", dataType: "boolean" as const, value: true },
      { address: "plant/int8", dataType: "int8" as const, value: -128 },
      { address: "plant/uint16", dataType: "uint16" as const, value: 65_535 },
      { address: "plant/int32", dataType: "int32" as const, value: -123_456 },
      { address: "plant/uint32", dataType: "uint32" as const, value: 4_294_967_295 },
      { address: "plant/uint64", dataType: "uint64" as const, value: 2n ** 64n - 1n },
      { address: "plant/float", dataType: "float32" as const, value: 123.5 },
      { address: "plant/double", dataType: "float64" as const, value: Math.PI },
      { address: "plant/text", dataType: "text" as const, value: "Mühle" },
      { address: `${JSON_TOPIC} json=$.switch`, dataType: "boolean" as const, value: true },
      { address: `${JSON_TOPIC} json=$.list[0]`, dataType: "int16" as const, value: -7 },
      { address: `${JSON_TOPIC} json=$.list[-1]`, dataType: "float64" as const, value: 8.25 },
      { address: `${JSON_TOPIC} json=$.big`, dataType: "int64" as const, value: -1_234_567_890_123_456_789n },
      { address: `${JSON_TOPIC} json=$.deep['a b']`, dataType: "text" as const, value: "Mühle" },
    ],
    illegal: { address: "plant/nothing", dataType: "uint16" as const },
    ...WRITES,
    malformed: MALFORMED,
    wrong: WRONG,
    socketsOpen: () => line.socketsOpen,
    connections: () => line.connections,
    cut: () => line.cut(),
    silence: (on: boolean) => line.silence(on),
    close: async () => {
      await line.close();
      await broker.close();
    },
  };
}
