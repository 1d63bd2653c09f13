import { expect, setDefaultTimeout, test } from "bun:test";
import type { NamespaceMessage } from "@millrace/contract/namespace/message";
import { topicOf } from "@millrace/contract/namespace/topic";
import type { ManifestDevice } from "@millrace/contract/wire/manifest";
import {
  IntakeRig,
  mosquittoPub,
  mosquittoSub,
  pushDevice,
  TOKEN_A,
  TOKEN_B,
} from "../../test/intake-rig.ts";
import { until } from "../driver/conformance.ts";
import { mayListen } from "../intake/acl.ts";

// Who listens is Mosquitto's own client.
setDefaultTimeout(20_000);

const READER = "r".repeat(43);
const AS_READER = ["-u", "reader", "-P", READER];
const AS_PRESS = ["-u", "press", "-P", TOKEN_A];

/** Sends nothing and listens to a branch. */
const reader = (listensTo?: string): ManifestDevice => {
  const device = pushDevice(3, "reader", READER, []);
  return { ...device, settings: { ...device.settings, ...(listensTo === undefined ? {} : { listensTo }) } };
};
const PRESS = pushDevice(1, "press", TOKEN_A, ["temp", "state json=$.v"]);
const OVEN = pushDevice(2, "oven", TOKEN_B, ["temp"]);

/** What came at a topic, newest last; "" is a topic that was cleared. */
function heard(said: string, topic: string): (NamespaceMessage | "")[] {
  return said
    .split("\n")
    .filter((line) => line.startsWith(`${topic} `) || line === topic)
    .map((line) => line.slice(topic.length + 1))
    .map((payload) => (payload === "" || payload === "(null)" ? "" : JSON.parse(payload)));
}
async function listening(rig: IntakeRig, filter: string, as = AS_READER) {
  const listener = mosquittoSub(rig.mqttPort, filter, as);
  await until(() => listener.said().includes("Subscribed"));
  return listener;
}
const press = (rig: IntakeRig, topic: string, payload: string) =>
  mosquittoPub(rig.mqttPort, `devices/press/${topic}`, payload, AS_PRESS);

test("who listens gets each value at the topic of its path, and who comes later gets the newest", async () => {
  await using rig = await IntakeRig.start();
  const odd = { ...PRESS.tags[0]!, name: '100 % "hot"', path: 'Plant/press/100 % "hot"', unit: "°C" };
  const wide = { ...PRESS.tags[1]!, dataType: "int64" as const };
  await rig.run([{ ...PRESS, tags: [odd, wide] }, OVEN, reader("#")]);
  const topic = topicOf("v1", odd.path)!;
  const early = await listening(rig, topic);
  await press(rig, "temp", "21.5");
  await until(() => heard(early.said(), topic).length === 1);
  const { timeMs } = rig.samples.find(({ value }) => value === 21.5)!;
  const message = { value: 21.5, timestamp: new Date(timeMs).toISOString(), quality: "good", unit: "°C" };
  expect(heard(await early.stop(), topic)).toEqual([message]);
  await press(rig, "temp", "22");
  await press(rig, "state", '{"v":9007199254740993}');
  const late = await listening(rig, "v1/#");
  const newest = (path: string) => heard(late.said(), topicOf("v1", path)!).at(-1);
  await until(() => (newest(odd.path) as NamespaceMessage)?.value === 22);
  await until(() => (newest(wide.path) as NamespaceMessage)?.value === "9007199254740993");
  expect(newest("Plant/oven/_state")).toBeUndefined();
  expect(heard(late.said(), "v1/Plant/oven/_state").at(-1)).toMatchObject({ value: "up", quality: "good" });
  await late.stop();
});

test("a value that is no longer true is told as such", async () => {
  await using rig = await IntakeRig.start();
  const [tag] = PRESS.tags;
  await rig.run([{ ...PRESS, settings: { ...PRESS.settings, staleMs: 300 }, tags: [tag!] }, reader("#")]);
  const topic = topicOf("v1", tag!.path)!;
  const listener = await listening(rig, topic);
  await press(rig, "temp", "21.5");
  const last = () => heard(listener.said(), topic).at(-1) as NamespaceMessage | undefined;
  await until(() => last()?.quality === "bad.stale");
  expect(last()!.value).toBeNull();
  await listener.stop();
});

test("a tag that is renamed or gone leaves nothing behind, neither for who listens nor for who comes later", async () => {
  await using rig = await IntakeRig.start();
  await rig.run([PRESS, OVEN, reader("#")]);
  const [first, second] = PRESS.tags.map(({ path }) => topicOf("v1", path)!);
  const early = await listening(rig, "v1/#");
  await press(rig, "temp", "1");
  await press(rig, "state", '{"v":2}');
  await until(() => heard(early.said(), second!).length === 1);
  const renamed = { ...PRESS.tags[0]!, name: "new name", path: "Plant/press/new name" };
  await rig.run([{ ...PRESS, tags: [renamed] }, reader("#")]);
  await until(() => heard(early.said(), first!).at(-1) === "" && heard(early.said(), second!).at(-1) === "");
  await until(() => heard(early.said(), "v1/Plant/oven/_state").at(-1) === "");
  await press(rig, "temp", "3");
  const late = await listening(rig, "v1/#");
  await until(() => heard(late.said(), "v1/Plant/press/new name").length === 1);
  expect(late.said()).not.toContain("tag 0");
  expect(late.said()).not.toContain("tag 1");
  await Promise.all([early.stop(), late.stop()]);
});

test("S43: listening needs the right to that branch, and nobody sends there", async () => {
  await using rig = await IntakeRig.start();
  await rig.run([PRESS, OVEN, reader("Plant/press")]);
  await press(rig, "temp", "21.5");
  for (const filter of [
    "v1/#",
    "v1/+/press/#",
    "v1/Plant/oven/#",
    "v1/Plant/pressing",
    "v1/Plant/#",
    "#",
    "+/+/press/#",
  ]) {
    const listener = mosquittoSub(rig.mqttPort, filter, AS_READER);
    await until(() => /128|denied/.test(listener.said()));
    expect(await listener.stop()).not.toContain("21.5");
  }
  // A device that was given nothing hears nothing of it, not even of itself.
  const own = mosquittoSub(rig.mqttPort, "v1/Plant/press/#", AS_PRESS);
  await until(() => /128|denied/.test(own.said()));
  await own.stop();
  for (const as of [AS_READER, AS_PRESS]) {
    const sent = await mosquittoPub(rig.mqttPort, "v1/Plant/press/tag 0", "4711", [...as, "-r", "-q", "1"]);
    expect(sent.code).not.toBe(0);
  }
  const listener = await listening(rig, "v1/Plant/press/#");
  await until(() => heard(listener.said(), "v1/Plant/press/tag 0").length === 1);
  expect(listener.said()).not.toContain("4711");
  // The right is taken away: the line ends.
  await rig.run([PRESS, OVEN, reader("Plant/oven")]);
  await until(() => /128|denied/.test(listener.said()));
  await listener.stop();
});

test("S43: a branch is a path with everything below it, and no text makes it more", () => {
  const may = (branch: string, filter: string) => mayListen("v1", [branch], filter);
  expect(may("Plant", "v1/Plant")).toBe(true);
  expect(may("Plant", "v1/Plant/#")).toBe(true);
  expect(may("Plant", "v1/Plant/+/tag")).toBe(true);
  expect(may("100 %", "v1/100 %25/#")).toBe(true);
  expect(may("#", "v1/#")).toBe(true);
  for (const [branch, filter] of [
    ["Plant", "v1/Plant#"],
    ["Plant", "v1/Planted/#"],
    ["", "v1/#"],
    ["/", "v1/#"],
    ["+", "v1/Plant/#"],
    ["Plant/#", "v1/Plant/x"],
    ["#", "#"],
    ["#", "v2/#"],
    ["#", "devices/press/x"],
    ["#", "$share/g/v1/#"],
  ] as const)
    expect([branch, filter, may(branch, filter)]).toEqual([branch, filter, false]);
});

test("switched off, nothing is told and nobody may listen", async () => {
  await using rig = await IntakeRig.start({ namespaceOn: false });
  await rig.run([PRESS, reader("#")]);
  expect(rig.namespace.status()).toEqual({});
  const listener = mosquittoSub(rig.mqttPort, "v1/#", AS_READER);
  await until(() => /128|denied/.test(listener.said()));
  await listener.stop();
});
