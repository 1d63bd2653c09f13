import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { decodeSettings } from "@millrace/contract/driver/settings";
import { systemClock } from "@millrace/contract/std/clock";
import type { DataType, TagValue } from "@millrace/contract/vocabulary/value";
import { connect, connectAsync, type MqttClient } from "mqtt";
import { Mosquitto } from "../../../test/peers/mosquitto.ts";
import { until } from "../../driver/conformance.ts";
import { Line } from "../../driver/cuttable-line.ts";
import type { PointWrite } from "../../driver/driver.ts";
import { mqtt } from "./index.ts";
import { payloadOf } from "./payload.ts";
import { writeAll } from "./writer.ts";

// Values on their way to devices behind Debian's Mosquitto. The devices are clients of their own.
setDefaultTimeout(20_000);

const ACL = ["topic read #", "topic write valve/#", "topic write nobody/#"].join("\n");
let mosquitto: Mosquitto;
beforeAll(async () => {
  const config = ["allow_anonymous true", "acl_file %d/acl"];
  mosquitto = await Mosquitto.start({ config, files: { acl: `${ACL}\n` } });
});
afterAll(() => mosquitto[Symbol.asyncDispose]());

const signal = () => AbortSignal.timeout(15_000);

/** A device that hears what it is told, and reports what `answer` makes of it; null for nothing. */
async function device(topic: string, answer: (told: string) => string | null) {
  const client: MqttClient = await connectAsync(`mqtt://127.0.0.1:${mosquitto.port}`);
  const told: { text: string; retain: boolean }[] = [];
  client.on("message", (_, payload, { retain }) => {
    told.push({ text: payload.toString(), retain });
    const report = answer(payload.toString());
    if (report !== null) client.publish(topic, report, { qos: 1 });
  });
  await client.subscribeAsync(`${topic}/set`, { qos: 1 });
  return { told, client, [Symbol.asyncDispose]: () => client.endAsync(true) };
}

async function open(settings: object = {}) {
  const line = await Line.to(mosquitto.port);
  const decoded = decodeSettings(mqtt as never, {
    broker: `mqtt://127.0.0.1:${line.port}`,
    timeoutMs: 2_000,
    firstValueMs: 300,
    reportMs: 300,
    ...settings,
  }) as never;
  const session = await mqtt.create(decoded, { clock: systemClock, onLost: () => {} });
  await session.connect(signal());
  const write = (id: number, address: string, value: TagValue, dataType: DataType = "float64") =>
    ({ id, dataType, value, address: mqtt.parseAddress(address, dataType, decoded) }) as PointWrite<never>;
  return {
    line,
    session,
    write,
    send: (...points: PointWrite<never>[]) => session.write!(points, signal()),
    [Symbol.asyncDispose]: async () => {
      await session.close();
      await line.close();
    },
  };
}

test("done is what the device reports, not what the broker confirms; the message is never kept", async () => {
  await using valve = await device("valve/a", (told) => told);
  await using it = await open();
  const point = it.write(1, "valve/a set=valve/a/set", 12.5);
  expect(await it.send(point)).toEqual([{ id: 1, done: true }]);
  expect(valve.told).toEqual([{ text: "12.5", retain: false }]);
  // What it reported stands, also for a device that says it only once.
  expect(await it.session.read([point], signal())).toMatchObject([{ value: 12.5, quality: 0 }]);
});

test("a device that says nothing, or something else, may have it; what follows is not sent", async () => {
  await using _ = await device("valve/b", () => null);
  await using other = await device("valve/c", () => "7");
  await using it = await open();
  const silent = it.write(1, "valve/b set=valve/b/set", 1);
  const told = await it.send(silent, it.write(2, "valve/c set=valve/c/set", 1));
  expect(told).toMatchObject([
    { done: false, maybe: true, code: "device.timeout" },
    { done: false, maybe: false },
  ]);
  expect(other.told).toEqual([]);
  const [changed] = await it.send(it.write(2, "valve/c set=valve/c/set", 1));
  expect(changed).toMatchObject({ done: false, maybe: true, message: expect.stringContaining("reported 7") });
});

test("a topic where nobody listens, and one the broker does not let us send to, leave no doubt with MQTT 5", async () => {
  await using it = await open();
  const [nobody] = await it.send(it.write(1, "nobody/a set=nobody/a/set", 1));
  expect(nobody).toMatchObject({ done: false, maybe: false, code: "device.unreachable" });
  const [refused] = await it.send(it.write(1, "closed/a set=closed/a/set", 1));
  expect(refused).toMatchObject({ done: false, maybe: false, code: "device.refused" });
  await using old = await open({ version: "3.1.1" });
  const [unknown] = await old.send(old.write(1, "nobody/a set=nobody/a/set", 1));
  expect(unknown).toMatchObject({ done: false, maybe: true, code: "device.timeout" });
  await using valve = await device("valve/h", (told) => told);
  expect(await old.send(old.write(2, "valve/h set=valve/h/set", 5))).toEqual([{ id: 2, done: true }]);
  expect(valve.told).toEqual([{ text: "5", retain: false }]);
});

test("a message is sent once: not again when the link is back, and not at all while it is down", async () => {
  await using valve = await device("valve/d", () => null);
  await using it = await open({ reportMs: 5_000 });
  const point = it.write(1, "valve/d set=valve/d/set", 1);
  const sending = it.send(point);
  await until(() => valve.told.length === 1);
  it.line.cut();
  expect(await sending).toMatchObject([{ done: false, maybe: true, code: "link.lost" }]);
  await expect(it.send(point)).rejects.toThrow("not connected");
  await it.session.connect(signal());
  // The message goes out, and no answer comes back.
  it.line.silence(true);
  const lost = it.send(point);
  await systemClock.sleep(20);
  it.line.cut();
  expect(await lost).toMatchObject([{ done: false, maybe: true }]);
  await until(() => valve.told.length === 2);
  it.line.silence(false);
  await it.session.connect(signal());
  await it.session.read([point], signal());
  expect(valve.told).toHaveLength(2);
});

test("a kept state is no report, and what the last will tells ends what stood", async () => {
  await using valve = await device("valve/e", (told) => told);
  await valve.client.publishAsync("valve/e", "5", { qos: 1, retain: true });
  await using it = await open({ aliveTopic: "valve/alive" });
  const point = it.write(1, "valve/e set=valve/e/set", 6);
  const [kept] = await it.session.read([point], signal());
  expect(kept?.quality).not.toBe(0);
  expect(await it.send(point)).toEqual([{ id: 1, done: true }]);
  expect(await it.session.read([point], signal())).toMatchObject([{ value: 6, quality: 0 }]);
  await valve.client.publishAsync("valve/alive", "offline", { qos: 1, retain: true });
  const offline = async () => (await it.session.read([point], signal()))[0]?.value;
  while ((await offline()) !== null) await systemClock.sleep(20);
});

test("a device that is away is not told when it comes back: with MQTT 5 the message expires, with 3.1.1 it waits for nobody", async () => {
  const url = `mqtt://127.0.0.1:${mosquitto.port}`;
  const kept = { clientId: "away", clean: false, reconnectPeriod: 0 };
  const before = await connectAsync(url, kept);
  await before.subscribeAsync("valve/f/#", { qos: 1 });
  await before.endAsync();
  await using it = await open();
  const [told] = await it.send(it.write(1, "valve/f set=valve/f/set", 1));
  expect(told).toMatchObject({ done: false, maybe: true });
  await using old = await open({ version: "3.1.1" });
  expect(await old.send(old.write(1, "valve/f set=valve/f/set", 2))).toMatchObject([
    { maybe: true, code: "device.timeout" },
  ]);
  await using other = await device("valve/g", () => null);
  await other.client.publishAsync("valve/f/lasting", "2", { qos: 1 });
  // Brokers count whole seconds.
  await systemClock.sleep(2_100);
  const heard: string[] = [];
  const back = connect(url, kept);
  back.on("message", (topic) => heard.push(topic));
  await until(() => heard.length > 0);
  await back.endAsync();
  expect(heard).toEqual(["valve/f/lasting"]);
});

test("what never left leaves no doubt, and nothing waits for a report", async () => {
  const settings = decodeSettings(mqtt, { broker: "mqtt://plc" });
  const address = mqtt.parseAddress("a set=b", "float64", settings);
  const outcomes = await writeAll(
    [1, 2].map((id) => ({ id, dataType: "float64", value: 1, address }) as const),
    {
      reportMs: 1,
      mustBeUp: () => undefined,
      listen: () => ({ end: () => undefined }),
      send: async () => ({ at: "unsent" }),
      orEnd: () => Promise.reject(new Error("waited")),
    },
  );
  expect(outcomes).toMatchObject([1, 2].map((id) => ({ id, done: false, maybe: false, code: "link.lost" })));
});

test("a tag that is written needs a command topic, and is told how to name it", () => {
  const settings = decodeSettings(mqtt, { broker: "mqtt://plc" });
  const problem = (address: string) =>
    mqtt.writeProblem?.(mqtt.parseAddress(address, "float64", settings)) ?? null;
  expect(problem("a")).toContain("add set= and the topic");
  expect(problem("spBv1.0/G/E metric=x")).toContain("only read");
  expect(problem("a set=b")).toBeNull();
});

test.each<[string, TagValue, DataType, string]>([
  ["a set=b", 1e21, "float64", "1e+21"],
  ["a set=b", -5n, "int64", "-5"],
  ["a set=b", Math.fround(0.1), "float32", "0.1"],
  ["a set=b", 16_777_215, "float32", "16777215"],
  ["a set=b", Math.fround(3.4e38), "float32", "3.4e+38"],
  ["a set=b", false, "boolean", "false"],
  ["a set=b on=OPEN off=SHUT IT", false, "boolean", "SHUT IT"],
  ["a set=b setjson=$.x.y", 2.5, "float64", `{"x":{"y":2.5}}`],
  ["a set=b setjson=$['a b']", `"q"`, "text", `{"a b":"\\"q\\""}`],
  ["a set=b setjson=$.v", 2n ** 64n - 1n, "uint64", `{"v":18446744073709551615}`],
  ["a set=b setjson=$.v", true, "boolean", `{"v":true}`],
  ["a set=b setjson=$.v on=ON off=OFF", true, "boolean", `{"v":"ON"}`],
])("%s tells %p as %s in the words of the device", (address, value, dataType, text) => {
  const settings = decodeSettings(mqtt, { broker: "mqtt://plc" });
  const parsed = mqtt.parseAddress(address, dataType, settings);
  expect(mqtt.formatAddress(parsed)).toContain(address);
  expect(Buffer.from(payloadOf(parsed.command!, value, dataType)).toString()).toBe(text);
});
