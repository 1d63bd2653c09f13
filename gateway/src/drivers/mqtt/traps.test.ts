import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { decodeSettings } from "@millrace/contract/driver/settings";
import type { AppError } from "@millrace/contract/error/app-error";
import { systemClock } from "@millrace/contract/std/clock";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import type { DataType } from "@millrace/contract/vocabulary/value";
import { freePort, Mosquitto } from "../../../test/peers/mosquitto.ts";
import { until } from "../../driver/conformance.ts";
import { Line } from "../../driver/cuttable-line.ts";
import type { Point, Reading, Wish } from "../../driver/driver.ts";
import { INBOX_MESSAGES_MAX } from "./inbox.ts";
import { mqtt } from "./index.ts";
import { BrokerSimulator } from "./simulator.ts";

// The traps of field-protocols.md 5d, as far as they are a client's; the broker is Debian's Mosquitto where one is needed.
setDefaultTimeout(20_000);

const signal = () => AbortSignal.timeout(10_000);
let mosquitto: Mosquitto;
beforeAll(async () => {
  mosquitto = await Mosquitto.start();
});
afterAll(() => mosquitto[Symbol.asyncDispose]());

async function open(port: number, settings: object = {}) {
  const lost: AppError[] = [];
  const decoded = decodeSettings(mqtt as never, {
    broker: `mqtt://127.0.0.1:${port}`,
    timeoutMs: 2_000,
    firstValueMs: 300,
    keepAliveMs: 1_000,
    ...settings,
  }) as never;
  const session = await mqtt.create(decoded, { clock: systemClock, onLost: (error) => lost.push(error) });
  const point = (id: number, address: string, dataType: DataType = "float64"): Point<never> => ({
    id,
    dataType,
    address: mqtt.parseAddress(address, dataType, decoded) as never,
  });
  return {
    session,
    lost,
    point,
    /** Readings as they are told. */
    async listen(addresses: string[], dataType: DataType = "float64") {
      const told: Reading[] = [];
      const end = new AbortController();
      let alive = 0;
      const wishes: Wish<never>[] = addresses.map((address, id) => ({
        ...point(id, address, dataType),
        scanMs: 1_000,
        deadband: 0,
      }));
      await session.subscribe!(
        wishes,
        (readings) => {
          if (readings.length === 0) alive++;
          told.push(...readings);
        },
        end.signal,
      );
      return { told, end: () => end.abort(), alive: () => alive };
    },
    [Symbol.asyncDispose]: () => session.close(),
  };
}

test("5d.1 what cannot be sent now is not sent later: the library's queue is none of ours", async () => {
  const line = await Line.to(mosquitto.port);
  await using it = await open(line.port);
  await it.session.connect(signal());
  await it.listen(["spBv1.0/G/E metric=m"]);
  line.cut();
  await until(() => it.lost.length > 0);
  const watcher = await open(mosquitto.port);
  await watcher.session.connect(signal());
  const { told } = await watcher.listen(["+/G/NCMD/#"], "text");
  await it.session.connect(signal());
  await systemClock.sleep(500);
  expect(told.filter(({ quality }) => quality !== QUALITY["bad.waitingForData"])).toEqual([]);
  await watcher.session.close();
  await line.close();
});

test("5d.3 quality of service 2 is not offered, and a broker that uses it is hung up on", async () => {
  expect(() => decodeSettings(mqtt as never, { broker: "mqtt://plc", qos: 2 })).toThrow("qos");
  // PUBLISH with quality of service 2.
  using broker = await scripted([...CONNACK_5, 0x34, 7, 0, 1, 0x61, 0, 1, 0, 0x31]);
  await using it = await open(broker.port);
  const refused = await it.session.connect(signal()).catch((error: AppError) => error);
  await until(() => it.lost.length > 0 || refused !== undefined);
  const error = it.lost[0] ?? (refused as AppError);
  expect(error.code).toBe("link.garbled");
  expect(error.message).toContain("quality of service 2");
});

test("5d.4 a broker that answers and forwards nothing: the tag goes stale, and is subscribed to again", async () => {
  const broker = await BrokerSimulator.start();
  await using it = await open(broker.port, { staleMs: 700 });
  await it.session.connect(signal());
  const { told, alive } = await it.listen(["t"]);
  broker.send("t", "1");
  await until(() => told.length === 1);
  const [client] = Object.values((broker.aedes as unknown as { clients: object }).clients) as [
    { unsubscribe(subscriptions: object, done: () => void): void },
  ];
  await new Promise<void>((resolve) => client.unsubscribe({ unsubscriptions: ["t"] }, resolve));
  broker.send("t", "2");
  await until(() => told.length === 2);
  expect(told[1]).toMatchObject({ value: null, quality: QUALITY["bad.stale"] });
  // The broker itself was alive all the time: only the age of the value tells.
  expect(alive()).toBeGreaterThan(0);
  expect(it.lost).toEqual([]);
  await until(() => {
    broker.send("t", "3");
    return told.some(({ value }) => value === 3);
  });
  await it.session.close();
  await broker.close();
});

test("5d.5 a broker that forgot our session is subscribed to anew", async () => {
  await using broker = await Mosquitto.start();
  await using it = await open(broker.port);
  await it.session.connect(signal());
  await it.listen(["t"]);
  await broker.kill();
  await until(() => it.lost.length > 0);
  await broker.up();
  await it.session.connect(signal());
  const { told } = await it.listen(["t"]);
  await broker.publish("t", "5");
  await until(() => told.length > 0);
  expect(told).toMatchObject([{ value: 5, quality: QUALITY.good }]);
});

test("5d.6 a message over the limit ends the link with its size as the cause, and is no value", async () => {
  await using it = await open(mosquitto.port, { version: "3.1.1", messageBytesMax: 1_024, resume: false });
  await it.session.connect(signal());
  const { told } = await it.listen(["big"], "text");
  await mosquitto.publish("big", "x".repeat(40_000));
  await until(() => it.lost.length > 0);
  expect(it.lost[0]!.code).toBe("link.garbled");
  expect(it.lost[0]!.message).toContain("40");
  expect(told).toEqual([]);
});

test("5d.7 what waited at the broker comes with its own time or as of unknown age; what comes later is live", async () => {
  await using broker = await Mosquitto.start();
  const line = await Line.to(broker.port);
  await using it = await open(line.port);
  await it.session.connect(signal());
  const addresses = ["t", "j json=$.v time=$.ts"];
  await it.listen(addresses);
  line.cut();
  await until(() => it.lost.length > 0);
  const ts = systemClock.nowMs() - 1_000;
  for (const value of [1, 2]) await broker.publish("t", String(value), ["-q", "1"]);
  await broker.publish("j", `{"v":3,"ts":${ts}}`, ["-q", "1"]);
  await it.session.connect(signal());
  // The messages may be here before anybody listens.
  await systemClock.sleep(50);
  const { told } = await it.listen(addresses);
  await until(() => told.length >= 3);
  expect(told.filter(({ id }) => id === 0)).toEqual([
    { id: 0, value: 1, quality: QUALITY["uncertain.ageUnknown"] },
    { id: 0, value: 2, quality: QUALITY["uncertain.ageUnknown"] },
  ]);
  expect(told.find(({ id }) => id === 1)).toEqual({
    id: 1,
    value: 3,
    quality: QUALITY.good,
    sourceTimeMs: ts,
  });
  await systemClock.sleep(1_600);
  await broker.publish("t", "4", ["-q", "1"]);
  await until(() => told.some(({ value }) => value === 4));
  expect(told.at(-1)).toEqual({ id: 0, value: 4, quality: QUALITY.good });
  await line.close();
});

test("5d.9 a message Mosquitto kept is marked as of unknown age", async () => {
  await mosquitto.publish("kept", "7", ["-r"]);
  await using it = await open(mosquitto.port);
  await it.session.connect(signal());
  expect(await it.session.read([it.point(1, "kept")], signal())).toEqual([
    { id: 1, value: 7, quality: QUALITY["uncertain.ageUnknown"] },
  ]);
});

test("5d.10 who leaves takes its subscriptions along", async () => {
  const broker = await BrokerSimulator.start();
  await using it = await open(broker.port);
  await it.session.connect(signal());
  const gone: string[] = [];
  broker.aedes.on("unsubscribe", (topics) => gone.push(...topics));
  const first = await it.listen(["a", "b"]);
  const second = await it.listen(["b"]);
  first.end();
  await until(() => gone.length > 0);
  // The other device still looks at b.
  expect(gone).toEqual(["a"]);
  second.end();
  await until(() => gone.length > 1);
  expect(gone).toEqual(["a", "b"]);
  await it.session.close();
  await broker.close();
});

/** A broker of a few bytes: what it answers to the first packet. */
async function scripted(answer: number[]) {
  const server = createServer((socket) => {
    socket.once("data", () => socket.write(Buffer.from(answer)));
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return { port, [Symbol.dispose]: () => void server.close() };
}

const CONNACK_5 = [0x20, 3, 0, 0, 0];

test("5d.11 two clients with one id: where the broker says it, it is the cause", async () => {
  // DISCONNECT, session taken over.
  using broker = await scripted([...CONNACK_5, 0xe0, 2, 0x8e, 0]);
  await using it = await open(broker.port);
  await it.session.connect(signal());
  await until(() => it.lost.length > 0);
  expect(it.lost[0]!.code).toBe("link.refused");
  expect(it.lost[0]!.message).toContain("same client id");
});

test("5d.11 two clients with one id: where it only closes, a link that never lasts names the id", async () => {
  await using first = await open(mosquitto.port, { clientId: "twin" });
  await using second = await open(mosquitto.port, { clientId: "twin" });
  await first.session.connect(signal());
  for (let time = 1; time <= 3; time++) {
    await second.session.connect(signal());
    await until(() => first.lost.length === time);
    await first.session.connect(signal());
    await until(() => second.lost.length === time);
  }
  expect(first.lost[0]!.message).not.toContain("twin");
  expect(first.lost[2]!.message).toContain("another client may use the client id twin");
});

test("a device that says it is gone has no values; what the broker kept of it is not shown", async () => {
  await mosquitto.publish("press/temp", "20", ["-r"]);
  await mosquitto.publish("press/LWT", "Offline", ["-r"]);
  await using it = await open(mosquitto.port, { aliveTopic: "press/LWT" });
  await it.session.connect(signal());
  const { told } = await it.listen(["press/temp"]);
  await until(() => told.length > 0);
  expect(told.at(-1)).toEqual({ id: 0, value: null, quality: QUALITY["bad.deviceOffline"] });
  await mosquitto.publish("press/LWT", "Online");
  await mosquitto.publish("press/temp", "21");
  await until(() => told.at(-1)?.value === 21);
  await mosquitto.publish("press/LWT", "offline");
  await until(() => told.at(-1)?.value === null);
});

test("what comes before anybody listens waits, bounded, and what is lost is counted", async () => {
  const broker = await BrokerSimulator.start();
  const line = await Line.to(broker.port);
  await using it = await open(line.port);
  await it.session.connect(signal());
  await it.listen(["t"]);
  line.cut();
  await until(() => it.lost.length > 0);
  const over = 50;
  for (let at = 0; at < INBOX_MESSAGES_MAX + over; at++) broker.send("t", String(at), { qos: 1 });
  await systemClock.sleep(100);
  await it.session.connect(signal());
  await until(() => it.session.counters().note !== undefined);
  await systemClock.sleep(300);
  const { told } = await it.listen(["t"]);
  expect(told.length).toBe(INBOX_MESSAGES_MAX);
  expect(told.at(-1)!.value).toBe(INBOX_MESSAGES_MAX + over - 1);
  expect(it.session.counters().note).toContain(`${over} messages`);
  await it.session.close();
  await line.close();
  await broker.close();
});

test("nobody there, somebody silent and somebody else: each has its own words", async () => {
  const refused = await open(await freePort());
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    sockets.push(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const silent = await open((server.address() as { port: number }).port, { timeoutMs: 300 });
  const told = async (it: typeof silent) =>
    (await it.session.connect(signal()).catch((e: AppError) => e)) as AppError;
  expect((await told(refused)).code).toBe("link.refused");
  expect((await told(silent)).code).toBe("link.unreachable");
  server.once("connection", (socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"));
  expect((await told(silent)).code).toBe("link.garbled");
  for (const socket of sockets) socket.destroy();
  server.close();
});
