import { expect, test } from "bun:test";
import { topicOf } from "@millrace/contract/namespace/topic";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import type { ManifestDevice } from "@millrace/contract/wire/manifest";
import { FakeClock } from "../../test/fake-clock.ts";
import type { Told } from "../intake/broker.ts";
import { MESSAGES_PER_TURN, NamespacePublisher, TURN_MS } from "./publisher.ts";
import { sliceOf } from "./slice.ts";

const deviceOf = (name: string, firstTag: number, count: number, unit = ""): ManifestDevice => ({
  deviceId: `0198c0de-0000-7000-8000-00000000000${firstTag % 10}`,
  name,
  path: `Plant/${name}`,
  driver: "modbus",
  settings: {},
  tags: Array.from({ length: count }, (_, at) => ({
    tagNo: firstTag + at,
    name: `t${firstTag + at}`,
    path: `Plant/${name}/t${firstTag + at}`,
    address: "hr:1",
    dataType: "float64",
    unit,
    scanMs: 1_000,
    heartbeatMs: 10_000,
    deadband: 0,
  })),
});

/** A publisher over a broker that writes down what it is told. */
function rig(topicsMax?: number) {
  const clock = new FakeClock();
  const told: Told[] = [];
  const passed: number[] = [];
  const publisher = new NamespacePublisher({
    clock,
    prefix: "v1",
    publish: async (one) => void told.push(one),
    devices: () => [],
    ...(topicsMax === undefined ? {} : { topicsMax }),
  });
  const sink = publisher.tee({ push: (tagNo) => void passed.push(tagNo) });
  const say = (tagNo: number, value: number, quality: number = QUALITY.good) =>
    sink.push(tagNo, "double", quality === QUALITY.good ? value : null, quality, clock.nowMs());
  const take = () =>
    told.splice(0).map(({ topic, payload, retain }) => {
      expect(retain).toBe(true);
      const text = Buffer.from(payload).toString();
      return `${topic} ${text === "" ? "cleared" : JSON.parse(text).value}`;
    });
  return { clock, publisher, say, take, passed };
}

test("of many changes in one turn the newest is told; what did not change is not", async () => {
  const { clock, publisher, say, take, passed } = rig();
  publisher.apply([deviceOf("A", 1, 2)]);
  await clock.advance(TURN_MS);
  expect(take()).toEqual([]);
  for (let value = 0; value < 100; value++) say(1, value);
  say(7, 1);
  expect(passed).toHaveLength(101);
  await clock.advance(TURN_MS);
  expect(take()).toEqual(["v1/Plant/A/t1 99"]);
  await clock.advance(10 * TURN_MS);
  expect(take()).toEqual([]);
  publisher.stop();
  say(1, 5);
  await clock.advance(TURN_MS);
  expect([take(), clock.pending()]).toEqual([[], 0]);
});

test("however much changes, so many messages go out in a turn, and none is left behind", async () => {
  const { clock, publisher, say, take } = rig();
  const count = 2 * MESSAGES_PER_TURN + 10;
  publisher.apply([deviceOf("A", 1, count)]);
  const counts: number[] = [];
  const topics = new Set<string>();
  for (let turn = 0; turn < 6; turn++) {
    // The first ones change all the time; the last must not wait for them for ever.
    for (let no = 1; no <= (turn === 0 ? count : MESSAGES_PER_TURN); no++) say(no, turn);
    await clock.advance(TURN_MS);
    const lines = take();
    counts.push(lines.length);
    for (const line of lines) topics.add(line.split(" ")[0]!);
  }
  expect(Math.max(...counts)).toBe(MESSAGES_PER_TURN);
  expect(topics.size).toBe(count);
});

test("a topic that ends is cleared before it is used again, and another unit is told at once", async () => {
  const { clock, publisher, say, take } = rig();
  const [before, after] = [deviceOf("A", 1, 2), deviceOf("A", 1, 2, "bar")];
  publisher.apply([before]);
  say(1, 10);
  say(2, 20);
  await clock.advance(TURN_MS);
  take();
  const [one, two] = after.tags;
  const moved = { ...one!, tagNo: 9 };
  publisher.apply([{ ...after, tags: [moved, two!] }]);
  say(9, 30);
  await clock.advance(TURN_MS);
  expect(take()).toEqual(["v1/Plant/A/t1 cleared", "v1/Plant/A/t2 20", "v1/Plant/A/t1 30"]);
  publisher.apply([]);
  await clock.advance(TURN_MS);
  expect(take().toSorted()).toEqual(["v1/Plant/A/t1 cleared", "v1/Plant/A/t2 cleared"]);
});

test("too many, too long and twice the same have no topic, and are counted", async () => {
  const { publisher } = rig(3);
  publisher.apply([deviceOf("A", 1, 5)]);
  expect(publisher.status()).toEqual({ prefix: "v1", topics: 3, leftOut: 3 });
  publisher.apply([deviceOf("A", 1, 1)]);
  expect(publisher.status()).toEqual({ prefix: "v1", topics: 2, leftOut: 0 });
  publisher.stop();
  const device = deviceOf("A", 1, 3);
  device.tags[1]!.path = "x".repeat(2_000);
  device.tags[2]!.path = device.tags[0]!.path;
  const slice = sliceOf("v1", [device]);
  expect([[...slice.tags.values()], slice.states.size, slice.leftOut]).toEqual([
    [{ topic: topicOf("v1", device.tags[0]!.path)!, unit: "" }],
    1,
    2,
  ]);
});
