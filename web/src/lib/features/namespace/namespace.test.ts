import { expect, test } from "bun:test";
import type { Device, Tag } from "@millrace/contract/api/plant";
import { type NameRow, nameRows, type Step, stepOf } from "./name-tree.ts";
import { RateMeter } from "./rate.ts";
import { silenceWords, topicsOf } from "./topics.ts";

const device = (path: string, topicPrefix: string | null = "v1"): Device =>
  ({ id: path, name: path.split("/").at(-1)!, path, tagCount: 2, topicPrefix }) as Device;
const tag = (path: string): Tag => ({ path, name: path.split("/").at(-1)! }) as Tag;
const PRESS = device("Plant/Hall 2/Press");
const OVEN = device("Plant/Hall 10/Oven", null);
const names = {
  sites: [
    { path: "Plant" },
    { path: "Plant/Hall 10" },
    { path: "Plant/Hall 2" },
    { path: "Plant/Hall 2/Empty" },
  ],
  devices: [OVEN, PRESS],
  tagsOf: (id: string) => (id === PRESS.id ? [tag(`${id}/b`), tag(`${id}/a`)] : undefined),
};
const all = () => true;
const shown = (rows: NameRow[]) =>
  rows.map(({ level, name, position, siblings }) => `${level} ${name} ${position}/${siblings}`);

test("the open part of the tree, in the order of names, with each row's place among its own", () => {
  expect(shown(nameRows({ ...names, isOpen: all }))).toEqual([
    "1 Plant 1/1",
    "2 Hall 2 1/2",
    "3 Empty 1/2",
    "3 Press 2/2",
    "4 a 1/2",
    "4 b 2/2",
    "2 Hall 10 2/2",
    "3 Oven 1/1",
  ]);
  const places = nameRows({ ...names, isOpen: (_, path) => path === "Plant" });
  expect(shown(places)).toEqual(["1 Plant 1/1", "2 Hall 2 1/2", "2 Hall 10 2/2"]);
  expect(places[0]).toMatchObject({ kind: "place", tagCount: 4, open: true });
  // A place that is not shown itself is still on the way to what is.
  expect(shown(nameRows({ ...names, sites: [], devices: [OVEN], isOpen: all }))).toHaveLength(3);
});

test("a hundred thousand tags are laid out at once", () => {
  const many = Array.from({ length: 100_000 }, (_, i) => tag(`Plant/Hall 2/Press/${i}`));
  const rows = nameRows({ ...names, tagsOf: () => many, isOpen: all });
  expect(rows).toHaveLength(200_006);
});

test("the keys of a tree", () => {
  const rows = nameRows({ ...names, isOpen: (kind, path) => kind === "place" && path !== "Plant/Hall 10" });
  expect(rows.map(({ name }) => name)).toEqual(["Plant", "Hall 2", "Empty", "Press", "Hall 10"]);
  const steps: [string, number, Step | null][] = [
    ["ArrowDown", 0, { go: 1 }],
    ["ArrowDown", 4, { go: 4 }],
    ["ArrowUp", 0, { go: 0 }],
    ["End", 0, { go: 4 }],
    ["Home", 3, { go: 0 }],
    ["ArrowRight", 0, { go: 1 }],
    ["ArrowRight", 3, { toggle: 3 }],
    ["ArrowLeft", 1, { toggle: 1 }],
    ["ArrowLeft", 3, { go: 1 }],
    ["ArrowLeft", 4, { go: 0 }],
    ["Enter", 2, { choose: 2 }],
    ["h", 1, { go: 4 }],
    ["z", 1, null],
    ["F5", 1, null],
  ];
  for (const [key, at, step] of steps) expect([key, at, stepOf(key, rows, at)]).toEqual([key, at, step]);
});

test("topics are the gateway's own; without them the reason is told", () => {
  const rows = nameRows({ ...names, isOpen: all });
  const row = (name: string) => rows.find((one) => one.name === name)!;
  expect(topicsOf(row("a"))).toEqual([{ label: "Topic", topic: "v1/Plant/Hall 2/Press/a" }]);
  expect(topicsOf(row("Press")).map(({ topic }) => topic)).toEqual([
    "v1/Plant/Hall 2/Press/#",
    "v1/Plant/Hall 2/Press/_state",
  ]);
  expect(topicsOf(row("Plant")).map(({ topic }) => topic)).toEqual(["v1/Plant/#"]);
  expect(topicsOf(row("Oven"))).toEqual([]);
  expect(silenceWords(row("Oven"), "Hall 10")).toContain("MILLRACE_INTAKE_MQTT_HOST");
  const long = { ...row("a"), path: "x".repeat(2_000) } as NameRow;
  expect(topicsOf(long)).toEqual([]);
  expect(silenceWords(long, "")).toContain("longer");
});

test("the rate is what changed in the last minute of watching", () => {
  const meter = new RateMeter(1_000_000);
  expect(meter.perMinute(1_004_000)).toBeNull();
  for (let ms = 0; ms < 120_000; ms += 500) meter.hit(1_000_000 + ms);
  expect(meter.perMinute(1_120_000)).toBe(118);
  expect(meter.perMinute(1_149_500)).toBe(60);
  expect(meter.perMinute(1_300_000)).toBe(0);
  meter.hit(1_000_000);
  expect(meter.perMinute(1_300_000)).toBe(1);
});
