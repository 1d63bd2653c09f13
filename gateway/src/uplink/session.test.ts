import { afterEach, expect, test } from "bun:test";
import { decodeBlock } from "@millrace/contract/block/decode";
import type { Series } from "@millrace/contract/block/series";
import type { Command } from "@millrace/contract/wire/command";
import { decodeEvents } from "@millrace/contract/wire/event";
import { type FrameView, readFrame, splitEnvelope } from "@millrace/contract/wire/frame";
import { encodeKnownFrames } from "@millrace/contract/wire/known-frames";
import type { HelloBody } from "@millrace/contract/wire/uplink";
import { HUB_ID, say } from "../../test/fake-hub.ts";
import { pushFrames, type Rig, until, uplinkRig } from "../../test/uplink-rig.ts";
import { openIdentityFolder } from "../identity/identity.ts";
import { zstd } from "../outbox/zstd.ts";
import type { HubTime } from "./hub-time.ts";
import { SnapshotFrames } from "./snapshot.ts";

const open: Rig[] = [];
afterEach(async () => {
  for (const rig of open.splice(0)) await rig[Symbol.asyncDispose]();
});

async function rig(over: Parameters<typeof uplinkRig>[0] = {}): Promise<Rig> {
  const made = await uplinkRig(over);
  open.push(made);
  return made;
}

const hellos = (r: Rig): HelloBody[] =>
  r.hub.texts.flatMap((one) => (one.type === "hello" ? [one.body] : []));

/** One series of one sample for each tag. */
const latest = (tags: number, text?: string): Series[] =>
  Array.from({ length: tags }, (_, i) => {
    const base = {
      tagNo: i + 1,
      timesMs: Float64Array.of(1_000 + i),
      quality: new Uint8Array(1),
      nulls: null,
      receivedMs: null,
    };
    return text === undefined
      ? { ...base, kind: "double", values: Float64Array.of(Math.sin(i)) }
      : { ...base, kind: "text", values: [`${i}${text}`] };
  });

test("a hello tells command number and clock quality, lists lane L, and keeps to itself what is backlog", async () => {
  const r = await rig({ clockQuality: () => "ntp", commands: { highestNo: () => 12, take: async () => {} } });
  r.uplink.start();
  await until("up", () => r.uplink.link().linkState === "up");
  const [hello] = hellos(r);
  expect(hello).toMatchObject({ commandNo: 12, clockQuality: "ntp" });
  expect(hello!.streams.map((stream) => Object.keys(stream).sort().join())).toEqual(
    hello!.streams.map(({ lane }) =>
      lane === "L" ? "acked,lane,low,next,seg" : "acked,lane,low,next,seg,sent",
    ),
  );
  expect(hello!.streams.at(-1)).toEqual({ lane: "L", seg: 1, low: 1, next: 1, acked: 0 });
  expect(r.hub.signatureHeld).toBe(1);
});

test("the latest values go ahead of a backlog, one frame for each acknowledged envelope, and are not acknowledged", async () => {
  const values = latest(3_000);
  const r = await rig({
    snapshot: () => values,
    outbox: (real) => ({
      ...port(real),
      openSession: async () =>
        (await real.openSession()).map((head) => ({ ...head, backlog: head.lane === "H" })),
    }),
  });
  const order: string[] = [];
  const snapshot: FrameView[] = [];
  r.hub.script.envelope = (peer, frames) => {
    const { lane } = frames[0]!.header;
    order.push(lane);
    if (lane !== "L") return r.hub.apply(peer, frames);
    for (const frame of frames) snapshot.push({ ...frame, body: frame.body.slice() });
  };
  // Many more envelopes than the snapshot has frames.
  r.hub.creditBytes = 2_000;
  await pushFrames(r, 100);
  r.uplink.start();
  await until("the backlog is through", () => r.hub.hwm === 100);
  expect(order[0]).toBe("L");
  expect(order.join("")).not.toContain("LL");
  expect(snapshot.map(({ header }) => header.first)).toEqual(snapshot.map((_, i) => i + 1));
  const tags = snapshot.flatMap(({ body }) => decodeBlock(body, zstd).map(({ tagNo }) => tagNo));
  expect(tags).toEqual(values.map(({ tagNo }) => tagNo));
  expect(hellos(r)).toHaveLength(1);
});

test("no backlog, no snapshot; and a snapshot that cannot be made does not end the session", async () => {
  let asked = 0;
  const snapshot = () => {
    asked++;
    throw new Error("no values");
  };
  const plain = await rig({ snapshot });
  await pushFrames(plain, 3);
  plain.uplink.start();
  await until("3 frames", () => plain.hub.hwm === 3);
  expect(asked).toBe(0);
  const behind = await rig({
    snapshot,
    outbox: (real) => ({
      ...port(real),
      openSession: async () =>
        (await real.openSession()).map((head) => ({ ...head, backlog: head.lane === "H" })),
    }),
  });
  await pushFrames(behind, 3);
  behind.uplink.start();
  await until("3 frames", () => behind.hub.hwm === 3);
  expect(asked).toBe(1);
  expect(behind.hub.peers).toHaveLength(1);
});

test("frames of the snapshot follow the size asked for and stay within the limit, whatever the texts", () => {
  const header = { epoch: 1, bootNo: 1, monoMs: 0, wallMs: 0, clockQuality: "rtc" } as const;
  const noise = Array.from({ length: 900 }, (_, i) => String.fromCharCode(33 + ((i * 7919) % 90))).join("");
  const made = (series: Series[], bytesAim: number): Uint8Array[] => {
    const frames = new SnapshotFrames(series, header, zstd);
    const list: Uint8Array[] = [];
    for (let one = frames.next(bytesAim); one; one = frames.next(bytesAim)) list.push(one);
    return list;
  };
  const tagsOf = (list: Uint8Array[]) =>
    list.flatMap((frame) => decodeBlock(readFrame(frame).body, zstd).map(({ tagNo }) => tagNo));
  for (const series of [latest(5_000, noise), latest(3_000, "ü".repeat(2_000)), latest(9_000)]) {
    const list = made(series, 64 * 1024);
    for (const frame of list) expect(frame.byteLength).toBeLessThanOrEqual(64 * 1024 + 68);
    expect(tagsOf(list)).toEqual(series.map(({ tagNo }) => tagNo));
  }
  const small = made(latest(9_000), 4_096).map(({ byteLength }) => byteLength);
  expect(Math.max(...small)).toBeLessThan(8_192);
  expect(made([], 4_096)).toEqual([]);
});

test("a hub that begins a new epoch gets what it lacks, under new numbers, in a session that follows at once", async () => {
  const r = await rig();
  await pushFrames(r, 6);
  const crcs = new Map<number, number>();
  r.hub.script.hello = (peer, body) => {
    if (body.epoch === 5) return r.hub.welcome(peer, body);
    // Frames 1 to 4 are there already, sent before this gateway went back in time.
    const frames = [1, 2, 3, 4].map((first) => ({ first, crc: crcs.get(first)! }));
    const streams = [{ lane: "H", seg: 1, known: encodeKnownFrames(frames) }];
    say(peer, { type: "renewEpoch", epoch: 5, streams });
  };
  const { bytes } = await r.outbox.frames({ lane: "H", seg: 1 }, 0, 1_000_000);
  for (const { header, crc32c } of splitEnvelope(bytes!)) crcs.set(header.first, crc32c);
  const states: string[] = [];
  r.uplink.onChange(({ linkState }) => states.push(linkState));
  r.uplink.start();
  await until("two frames", () => r.hub.hwm === 2);
  expect(states).not.toContain("waiting");
  expect(r.hub.frames.map(({ header }) => [header.epoch, header.first])).toEqual([
    [5, 1],
    [5, 2],
  ]);
  await until("the event", () => r.hub.events.length === 1);
  expect(decodeEvents(r.hub.events[0]!.body)).toMatchObject([
    { code: "epoch.renewed", data: { epoch: 5, framesKnown: 4, framesRenewed: 2 } },
  ]);
  expect(hellos(r).map(({ epoch }) => epoch)).toEqual([1, 5]);
  expect(r.uplink.link().attempt).toBe(0);
  expect((await openIdentityFolder(r.folder)).state!.epoch).toBe(5);
});

test("a hub that asks for an epoch not above ours, or twice in a row, is not followed", async () => {
  const low = await rig();
  low.hub.script.hello = (peer) => say(peer, { type: "renewEpoch", epoch: 1, streams: [] });
  low.uplink.start();
  await until("protocol error", () => low.uplink.link().code === "uplink.protocol");
  expect(low.outbox.epoch).toBe(1);
  const twice = await rig();
  twice.hub.script.hello = (peer, body) =>
    say(peer, { type: "renewEpoch", epoch: body.epoch + 1, streams: [] });
  twice.uplink.start();
  await until("protocol error", () => twice.uplink.link().code === "uplink.protocol");
  expect(twice.outbox.epoch).toBe(2);
  expect(hellos(twice)).toHaveLength(2);
});

test("a command reaches the desk, and the hub's time the clock once it has welcomed us", async () => {
  const taken: Command[] = [];
  const heard: HubTime[] = [];
  const r = await rig({
    commands: { highestNo: () => null, take: async (command) => void taken.push(command) },
    onHubTime: (time) => heard.push(time),
  });
  const command: Command = {
    commandId: HUB_ID,
    commandNo: 4,
    expiresMs: 1,
    body: { kind: "restartDevice", deviceId: HUB_ID },
  };
  r.hub.script.hello = (peer, body) => {
    expect(heard).toEqual([]);
    r.hub.welcome(peer, body);
    say(peer, { type: "command", command });
    say(peer, { type: "hb", hubTimeMs: 2_000 });
  };
  r.uplink.start();
  await until("both times", () => heard.length === 2);
  expect(taken).toEqual([command]);
  expect(hellos(r)[0]).not.toHaveProperty("commandNo");
  expect(heard.map(({ hubTimeMs }) => hubTimeMs)).toEqual([1_000, 2_000]);
  expect(heard[0]!.roundTripMs).toBeGreaterThanOrEqual(0);
  expect(heard[0]!.roundTripMs).toBeLessThan(1_000);
});

test("heartbeats go through the one queue with the data, behind what was sent before, also when nothing is acknowledged", async () => {
  const r = await rig();
  const order: string[] = [];
  r.hub.script.envelope = (_, frames) => order.push(`to ${frames.at(-1)!.header.last}`);
  r.hub.creditBytes = 700;
  await pushFrames(r, 20);
  const text = r.hub.texts;
  const push = text.push.bind(text);
  text.push = (...messages) => {
    order.push(...messages.map(({ type }) => type));
    return push(...messages);
  };
  r.uplink.start();
  await until("two heartbeats", () => order.filter((one) => one === "hb").length === 2);
  expect(order[0]).toBe("hello");
  const data = order.filter((one) => one.startsWith("to"));
  expect(data.length).toBeGreaterThan(0);
  expect(order.indexOf(data.at(-1)!)).toBeLessThan(order.indexOf("hb"));
});

/** The methods of an outbox that the uplink uses, so that a test may replace one. */
function port(real: Rig["outbox"]) {
  return {
    get epoch() {
      return real.epoch;
    },
    openSession: () => real.openSession(),
    renewEpoch: real.renewEpoch.bind(real),
    frames: real.frames.bind(real),
    acknowledge: real.acknowledge.bind(real),
    welcomed: real.welcomed.bind(real),
    condemn: real.condemn.bind(real),
    onSealed: real.onSealed.bind(real),
  };
}
