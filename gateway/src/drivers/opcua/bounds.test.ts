import { expect, test } from "bun:test";
import { parseAddress } from "@millrace/contract/driver/opcua/address";
import { decodeSettings } from "@millrace/contract/driver/settings";
import { systemClock } from "@millrace/contract/std/clock";
import type { Reading, Wish } from "../../driver/driver.ts";
import { Asking } from "./asking.ts";
import { BROWSE, Browser } from "./browser.ts";
import { opcua } from "./index.ts";
import { Namespaces } from "./namespaces.ts";
import { Patience, planItem } from "./plan.ts";
import { PublishLoop } from "./publish-loop.ts";
import { Subscriber } from "./subscriber.ts";
import type { ItemWish, News, Reference, Wire } from "./wire.ts";

/** Servers that no honest server can be made to play: what they answer is written here, what we do with it is ours. */

const settings = decodeSettings(opcua, { endpoint: "opc.tcp://plc:4840" });
const namespaces = () => new Namespaces(["http://opcfoundation.org/UA/", "urn:plc"]);

function asking(wire: Partial<Wire>): Asking {
  const made = new Asking({ clock: systemClock, endpoint: settings.endpoint, timeoutMs: 1_000 });
  made.up(wire as Wire);
  return made;
}

test("5c.6 a server that refuses filters is asked without, once for all, and the gateway filters", async () => {
  const asked: ItemWish[][] = [];
  const wire: Partial<Wire> = {
    createSubscription: async (wish) => ({ id: 1, ...wish }),
    createItems: async (_, items) => {
      asked.push([...items]);
      return items.map(({ deadband }) =>
        deadband > 0 ? { value: 0x80450000, name: "BadFilterNotAllowed" } : { value: 0, name: "Good" },
      );
    },
  };
  const learned: string[] = [];
  const heard: Reading[] = [];
  const line = asking(wire);
  const filters = { refused: false };
  const wishes = [0.5, 0, 2].map(
    (deadband, id): Wish<ReturnType<typeof parseAddress>> => ({
      id,
      address: parseAddress(`ns=1;s=v${id}`),
      dataType: "float64",
      scanMs: 100,
      deadband,
    }),
  );
  const deps = {
    clock: systemClock,
    settings,
    loop: new PublishLoop({ publish: () => new Promise<News>(() => {}) }, () => {}),
    itemsMax: 0,
    namespaces,
    refreshNamespaces: async () => {},
    ask: line.ask.bind(line),
    learn: (fact: string) => learned.push(fact),
    heardClock: () => {},
    filters,
  };
  await new Subscriber(wishes, (readings) => heard.push(...readings), deps).start();
  expect(asked.map((items) => items.map(({ handle, deadband }) => [handle, deadband]))).toEqual([
    [
      [0, 0.5],
      [1, 0],
      [2, 2],
    ],
    [
      [0, 0],
      [2, 0],
    ],
  ]);
  expect([heard, learned.length]).toEqual([[], 1]);
  await new Subscriber(wishes, () => {}, deps).start();
  expect(asked.length).toBe(3);
});

const reference = (id: number): Reference => ({
  node: { namespace: 1, type: "i", id: String(id) },
  name: `n${id}`,
  nodeClass: 1,
});

function browserOf(wire: Partial<Wire>): Browser {
  const line = asking(wire);
  return new Browser({ clock: systemClock, nodesMax: 100, namespaces, ask: line.ask.bind(line) });
}

test("5c.7 a level is followed by continuation points, given out in pages, and asked for once", async () => {
  let asked = 0;
  const part = (from: number, count: number, more: boolean) => {
    asked++;
    const references = Array.from({ length: count }, (_, at) => reference(from + at));
    return { references, continuation: more ? new Uint8Array([from + count]) : null };
  };
  const browser = browserOf({
    browse: async () => part(0, 100, true),
    browseNext: async ([from]) => part(from!, 50, from! < 200),
  });
  const signal = new AbortController().signal;
  const names: string[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const page = await browser.page("", after, signal);
    names.push(...page.nodes.map(({ name }) => name));
    after = page.after;
  }
  expect(names).toEqual(Array.from({ length: 250 }, (_, at) => `n${at}`));
  expect(asked).toBe(4);
});

test("5c.7 a level without end and one that leads in a circle are both left, and told to the server", async () => {
  let next = 0;
  let released = 0;
  const release = async () => {
    released++;
  };
  const flood = () => ({
    references: Array.from({ length: 500 }, () => reference(next++)),
    continuation: new Uint8Array([1]),
  });
  const signal = new AbortController().signal;
  const endless = browserOf({ browse: async () => flood(), browseNext: async () => flood(), release });
  await endless.page("", 0, signal);
  // Nobody looked further yet.
  expect([next, released]).toEqual([500, 0]);
  const last = await endless.page("", BROWSE.levelNodesMax - 100, signal);
  expect(last.after).toBe(null);
  expect([next, released]).toEqual([BROWSE.levelNodesMax, 1]);
  const same = { references: [reference(1)], continuation: new Uint8Array([1]) };
  const circle = browserOf({ browse: async () => same, browseNext: async () => same, release });
  expect((await circle.page("", 0, signal)).nodes.map(({ name }) => name)).toEqual(["n1"]);
  expect(released).toBe(2);
  const left = browserOf({ browse: async () => flood(), release });
  await left.page("", 0, signal);
  await left.page("i=86", 0, signal);
  expect(released).toBe(3);
});

test("5c.10 patience grows with the round trips that are measured, and after a timeout", () => {
  const patience = new Patience(1_000);
  expect(patience.limitMs).toBe(1_000);
  for (let at = 0; at < 20; at++) patience.heard(900);
  expect(patience.limitMs).toBeGreaterThan(7_000);
  const late = new Patience(1_000);
  late.missed();
  expect(late.limitMs).toBe(2_000);
  for (let at = 0; at < 50; at++) late.missed();
  expect(late.limitMs).toBe(4_000);
});

test("5c.15 a queue has a place for each sampling between two messages", () => {
  const wish = { id: 0, address: null, dataType: "float64", scanMs: 50, deadband: 1 } as const;
  const rules = { publishMs: 500, queueMax: 0, serverDeadband: true };
  expect(planItem(wish, rules)).toEqual({ samplingMs: 50, queue: 11, deadband: 1 });
  expect(planItem({ ...wish, dataType: "text" }, rules).deadband).toBe(0);
  expect(planItem(wish, { ...rules, queueMax: 3, serverDeadband: false })).toMatchObject({
    queue: 3,
    deadband: 0,
  });
});

function news(over: Partial<News>): News {
  return { subscriptionId: 1, sequence: 1, publishTimeMs: null, values: [], ended: null, ...over };
}
const value = { handle: 0, value: { statusCode: { value: 0, name: "Good" } } };

test.each<[string, News[]]>([
  [
    "a message that is missing",
    [news({ sequence: 1, values: [value] }), news({ sequence: 3, values: [value] })],
  ],
  [
    "a message that comes again",
    [news({ sequence: 1, values: [value] }), news({ sequence: 1, values: [value] })],
  ],
  ["a subscription the server gave up", [news({ ended: "BadTimeout" })]],
])("%s ends the loop once", async (_, script) => {
  const troubles: unknown[] = [];
  const loop = new PublishLoop(
    { publish: async () => script.shift() ?? (await new Promise<News>(() => {})) },
    (trouble) => troubles.push(trouble),
  );
  loop.add(1, 1_000, () => {});
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  expect(troubles.map((one) => (one as { code: string }).code)).toEqual(["link.lost"]);
});
