import { afterEach, expect, test } from "bun:test";
import { systemClock } from "@millrace/contract/std/clock";
import type { FieldAnswer, FieldResult } from "@millrace/contract/wire/field";
import { LIMITS } from "@millrace/contract/wire/limits";
import { HUB_ID, say } from "../../test/fake-hub.ts";
import { FakePlant, FakeSink } from "../../test/fake-plant.ts";
import { type Rig, until, uplinkRig } from "../../test/uplink-rig.ts";
import { FieldDesk } from "../field/desk.ts";
import { Fleet } from "../supervisor/fleet.ts";
import { answerField } from "./field-answer.ts";

const open: Rig[] = [];
afterEach(async () => {
  for (const rig of open.splice(0)) await rig[Symbol.asyncDispose]();
});

const idOf = (n: number) => `${HUB_ID.slice(0, -2)}${String(n).padStart(2, "0")}`;

async function rig(withDesk = true) {
  const clock = systemClock;
  const plant = new FakePlant(clock);
  const { driverOf } = plant;
  const fleet = new Fleet({ clock, random: () => 0.5, sink: new FakeSink(clock), driverOf });
  const desk = new FieldDesk({ clock, fleet, driverOf });
  const made = await uplinkRig(withDesk ? { field: desk } : {});
  open.push(made);
  made.uplink.start();
  await until("up", () => made.uplink.link().linkState === "up");
  const ask = (n: number, body: object) =>
    say(made.hub.peers.at(-1)!, { type: "field", requestId: idOf(n), limitMs: 5_000, body });
  const answers = () => made.hub.texts.filter((one): one is FieldAnswer => one.type === "fieldAnswer");
  return { made, plant, ask, answers };
}

const connection = (host: string) => ({ kind: "connection", driver: "fake", settings: { host } });

test("a question is answered under its id, one of a newer hub by a refusal, and the session goes on", async () => {
  const { made, ask, answers } = await rig();
  const hello = made.hub.texts.find((one) => one.type === "hello");
  expect(hello?.type === "hello" && hello.body.fieldKinds).toEqual([
    "connection",
    "read",
    "scan",
    "browse",
    "bus",
  ]);
  ask(1, { kind: "loopCalibration", gain: [1, { deep: true }] });
  ask(2, { kind: "read", driver: "fake", settings: { host: "a" }, parts: 7 });
  await until("two refusals", () => answers().length === 2);
  ask(3, connection("a"));
  await until("an answer", () => answers().length === 3);
  expect(answers().map(({ requestId, result }) => [requestId, result.kind])).toEqual([
    [idOf(1), "refused"],
    [idOf(2), "refused"],
    [idOf(3), "connection"],
  ]);
  expect(answers().map(({ result }) => result.kind === "refused" && result.code)).toEqual([
    "field.unsupported",
    "request.invalid",
    false,
  ]);
  expect(made.hub.peers).toHaveLength(1);
});

test("the connection to the hub lost, the test ends at the device and its answer goes nowhere", async () => {
  const { made, plant, ask, answers } = await rig();
  plant.unit("a").hangs = true;
  ask(1, {
    kind: "read",
    driver: "fake",
    settings: { host: "a" },
    parts: [[{ address: "x", dataType: "float64" }]],
  });
  await until("the question at the device", () => plant.unit("a").reads.length === 1);
  made.hub.peers[0]!.close(1001);
  await until(
    "another connection",
    () => made.hub.peers.length === 2 && made.uplink.link().linkState === "up",
  );
  await until("the line closed", () => plant.open === 0);
  expect(answers()).toEqual([]);
});

test("whoever asked gone, nothing is answered", async () => {
  const { made, plant, ask, answers } = await rig();
  plant.unit("a").answerMs = 30_000;
  ask(1, {
    kind: "read",
    driver: "fake",
    settings: { host: "a" },
    parts: [[{ address: "x", dataType: "float64" }]],
  });
  await until("the question at the device", () => plant.unit("a").reads.length === 1);
  say(made.hub.peers[0]!, { type: "fieldCancel", requestId: idOf(1) });
  await until("the line closed", () => plant.open === 0);
  ask(2, connection("b"));
  await until("an answer", () => answers().length === 1);
  expect(answers()[0]!.requestId).toBe(idOf(2));
});

test("a gateway without a desk refuses, and names no kinds", async () => {
  const { made, ask, answers } = await rig(false);
  ask(1, connection("a"));
  await until("an answer", () => answers().length === 1);
  expect(answers()[0]!.result).toMatchObject({ kind: "refused", code: "field.unsupported" });
  expect(JSON.stringify(made.hub.texts)).not.toContain("fieldKinds");
});

test("an answer longer than the hub takes becomes a refusal, so that it does not end the session", async () => {
  const long = "\u0001".repeat(LIMITS.fieldTextCharsMax);
  const readings = Array.from({ length: LIMITS.fieldTagsMax }, () => ({
    raw: long,
    value: long,
    quality: "good",
  }));
  const result: FieldResult = {
    kind: "read",
    ok: true,
    shared: false,
    roundTripMs: 1,
    requests: 1,
    readings,
  };
  const desk = { kinds: [], take: async () => result, cancel: () => {}, abandon: () => {} };
  const request = { type: "field", requestId: idOf(1), limitMs: 1, body: { kind: "read" } } as const;
  expect(await answerField(desk, request)).toMatchObject({
    result: { kind: "refused", code: "request.tooLarge" },
  });
});
