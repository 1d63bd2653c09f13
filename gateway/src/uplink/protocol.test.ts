import { expect, test } from "bun:test";
import { AppError } from "@millrace/contract/error/app-error";
import { fullJitterMs } from "@millrace/contract/std/backoff";
import { encodeKnownFrames } from "@millrace/contract/wire/known-frames";
import { type LineInput, LineModel } from "../../test/line-model.ts";
import { onFramesRead } from "./lanes.ts";
import { nextWakeMs } from "./protocol.ts";
import type { LinkAction, UpState } from "./state.ts";

const QUIET: LineInput["streams"] = [
  { lane: "E", seg: 1, frames: 0, frameBytes: 0 },
  { lane: "H", seg: 2, frames: 0, frameBytes: 0 },
];
const CURRENT = { lane: "H", seg: 2 } as const;
const model = (over: Partial<LineInput> = {}) =>
  new LineModel({ bytesPerMs: 100, latencyMs: 20, streams: QUIET, ...over });

const doneBy = (line: LineModel, kind: LinkAction["do"]): number[] =>
  line.actions.filter(({ action }) => action.do === kind).map(({ atMs }) => atMs);

test("a half-open link: without a byte for 24 s it is closed and opened anew, whatever we go on to send", () => {
  const line = model().open();
  line.run(7_000);
  line.hear({ type: "hb", hubTimeMs: 0 });
  line.hubBeats = false;
  line.hears = () => false;
  const more = () => {
    line.seal(CURRENT, 500);
    line.after(1_000, more);
  };
  more();
  line.run(23_999);
  expect(line.phase.at).toBe("up");
  expect(doneBy(line, "sendHeartbeat")).toEqual([10_000, 20_000, 30_000]);
  line.run(1);
  expect(line.phase).toMatchObject({ at: "waiting", code: "uplink.silent", attempt: 1 });
  expect(doneBy(line, "close")).toEqual([31_000]);
  line.run(line.settings.retryMsMin);
  expect(doneBy(line, "connect")).toEqual([0, 31_000 + line.settings.retryMsMin]);
});

test("any message counts as a sign of life, data of ours does not", () => {
  const line = model().open();
  line.hubBeats = false;
  for (let i = 0; i < 10; i++) {
    line.seal(CURRENT, 500);
    line.run(20_000);
  }
  expect(line.phase.at).toBe("up");
  line.run(60_000);
  expect(line.phase.at).not.toBe("up");
});

test("a lost ack is made good by the next one; when none comes, the session ends although the hub is heard", () => {
  const line = model().open();
  let lose = true;
  line.hears = () => !lose;
  line.seal(CURRENT, 500);
  line.run(100);
  expect(line.up.lanes[1]).toMatchObject({ ackedSeq: 0, sentSeq: 1 });
  lose = false;
  line.seal(CURRENT, 500);
  line.run(100);
  expect(line.up.lanes[1]).toMatchObject({ ackedSeq: 2, sentSeq: 2, inFlight: [] });
  expect(doneBy(line, "sendEnvelope")).toHaveLength(2);
  lose = true;
  line.seal(CURRENT, 500);
  const sentMs = line.nowMs;
  line.run(line.settings.ackMs - 1);
  expect(line.phase.at).toBe("up");
  line.run(2);
  expect(line.phase).toMatchObject({ at: "waiting", code: "uplink.silent" });
  expect(line.nowMs - sentMs).toBe(line.settings.ackMs + 1);
  expect(doneBy(line, "sendEnvelope")).toHaveLength(3);
});

test("an ack that comes late or twice changes nothing", () => {
  const line = model().open();
  for (let i = 0; i < 3; i++) line.seal(CURRENT, 500);
  line.run(200);
  const before = line.actions.length;
  for (const hwm of [2, 3, 1, 0]) line.hear({ type: "ack", ...CURRENT, hwm, creditBytes: 50_000 });
  expect(line.up.lanes[1]).toMatchObject({ ackedSeq: 3, sentSeq: 3 });
  expect(line.up.creditBytes).toBe(50_000);
  expect(line.actions.slice(before).filter(({ action }) => action.do !== "read")).toEqual([]);
});

test("a nack goes back to the number it names, once; one below what was acknowledged ends the session", () => {
  const line = model().open();
  for (let i = 0; i < 4; i++) line.seal(CURRENT, 500);
  line.hears = ({ last }) => last <= 2;
  line.run(300);
  const nack = { type: "nack", ...CURRENT, seq: 4, code: "frame.gap", creditBytes: 50_000 } as const;
  const sent = doneBy(line, "sendEnvelope").length;
  line.hears = () => true;
  line.hear({ ...nack, expected: 3 });
  line.hear({ ...nack, expected: 3 });
  line.run(300);
  expect(line.up.lanes[1]!.ackedSeq).toBe(4);
  expect(doneBy(line, "sendEnvelope").length).toBeLessThanOrEqual(sent + 2);
  line.hear({ ...nack, expected: 4 });
  expect(line.phase).toMatchObject({ at: "waiting", code: "uplink.protocol" });
});

test("nothing goes on the wire that the outbox has not given in this session", () => {
  const line = model({
    streams: [
      { lane: "E", seg: 1, frames: 9, frameBytes: 300 },
      { lane: "H", seg: 2, frames: 40, frameBytes: 3_000 },
      { lane: "H", seg: 1, backlog: true, frames: 40, frameBytes: 3_000 },
    ],
  }).open();
  line.run(5_000);
  let read = 0;
  for (const { action } of line.actions) {
    if (action.do === "read") read++;
    // Each envelope is the answer to a read; the machine holds no bytes of its own.
    if (action.do === "sendEnvelope") expect(--read).toBeGreaterThanOrEqual(0);
  }
  // An answer that belongs to an earlier read is not sent.
  const before = line.actions.length;
  const envelope = new Uint8Array(9);
  line.on({ type: "framesRead", readNo: 1, read: { ...CURRENT, afterSeq: 40, last: 41, envelope } });
  expect(line.actions.length).toBe(before);
});

for (const [attempts, ceilingMs] of [
  [0, 1_000],
  [1, 2_000],
  [2, 4_000],
  [3, 8_000],
  [4, 8_000],
  [59, 8_000],
  [60, 60_000],
  [1_000_000, 60_000],
] as const) {
  test(`after ${attempts} failures a retry comes within ${ceilingMs} ms, anywhere in it`, () => {
    for (const chance of [0, 0.25, 0.5, 1 - Number.EPSILON]) {
      const line = model();
      line.chance = chance;
      line.phase = { at: "opening", attempt: attempts, renewed: false, deadlineMs: 10_000 };
      line.on({ type: "closed", code: 1006, reason: "" });
      const waitMs = nextWakeMs(line.phase, line.settings)! - line.nowMs;
      expect(waitMs).toBe(line.settings.retryMsMin + Math.floor(chance * ceilingMs));
      expect(line.phase).toMatchObject({ at: "waiting", attempt: attempts + 1 });
    }
  });
}

test("full jitter spreads evenly: a fleet that lost its hub at one moment does not come back at one", () => {
  const { backoff } = model().settings;
  const buckets = Array(10).fill(0);
  for (let i = 0; i < 10_000; i++) {
    const waitMs = fullJitterMs(backoff, 3, () => ((i * 7_919) % 10_000) / 10_000);
    buckets[Math.floor(waitMs / 800)]++;
  }
  for (const count of buckets) expect(count).toBe(1_000);
});

test("an accepted session forgives failures evenly over a minute; one that drops at once forgives none", () => {
  const attemptAfter = (upMs: number) => {
    const line = model();
    line.on({ type: "start" });
    line.phase = { at: "opening", attempt: 7, renewed: false, deadlineMs: 10_000 };
    line.open();
    line.run(upMs);
    line.on({ type: "closed", code: 1006, reason: "" });
    return line.phase;
  };
  expect(attemptAfter(900)).toMatchObject({ at: "waiting", attempt: 8 });
  expect(attemptAfter(5_500)).toMatchObject({ at: "waiting", attempt: 3 });
  expect(attemptAfter(60_000)).toMatchObject({ at: "waiting", attempt: 1 });
});

for (const code of ["uplink.refused", "uplink.cloned", "uplink.fenced", "uplink.sequenceConflict"]) {
  test(`${code} waits for a person: between five minutes and an hour`, () => {
    for (const [chance, waitMs] of [
      [0, 300_000],
      [0.999999, 3_599_996.7],
    ] as const) {
      const line = model().open();
      line.chance = chance;
      line.hear({ type: "bye", code, message: "no", retryAfterMs: 0 });
      expect(nextWakeMs(line.phase, line.settings)! - line.nowMs).toBeCloseTo(waitMs, 0);
      expect(line.phase).toMatchObject({ at: "waiting", code, reason: "no" });
    }
  });
}

test("the pause a hub asks for is kept; a code of a newer hub is a pause", () => {
  const line = model().open();
  line.hear({ type: "bye", code: "hub.tired", message: "later", retryAfterMs: 45_000 });
  expect(line.phase).toMatchObject({ at: "waiting", code: "uplink.busy", reason: "later", untilMs: 45_000 });
});

function greeting(line: LineModel): LineModel {
  line.on({ type: "start" });
  line.hear({ type: "challenge", nonce: "", hubId: "", hubTimeMs: 0, protocols: [1] });
  line.on({ type: "helloSent", streams: line.heads() });
  return line;
}

test("a new epoch: the connection goes, the outbox moves, and the next attempt follows at once, uncounted", () => {
  const line = greeting(model());
  const known = [
    { first: 3, crc: 7 },
    { first: 9, crc: 0xffff_ffff },
  ];
  const streams = [{ ...CURRENT, known: encodeKnownFrames(known) }];
  const asked = line.actions.length;
  line.hear({ type: "renewEpoch", epoch: 4, streams });
  expect(line.actions.slice(asked).map(({ action }) => action)).toEqual([
    { do: "close", reason: "a new epoch begins" },
    { do: "renewEpoch", epoch: 4, known: [{ ...CURRENT, frames: known }] },
  ]);
  line.run(3_600_000);
  expect(line.phase).toEqual({ at: "renewing", attempt: 0 });
  line.on({ type: "epochRenewed" });
  expect(line.actions.at(-1)).toEqual({ atMs: line.nowMs, action: { do: "connect" } });
  expect(line.phase).toMatchObject({ at: "opening", attempt: 0 });
  // A hub that asks again at once would have us move for ever.
  line.hear({ type: "challenge", nonce: "", hubId: "", hubTimeMs: 0, protocols: [1] });
  line.on({ type: "helloSent", streams: line.heads() });
  line.hear({ type: "renewEpoch", epoch: 5, streams });
  expect(line.phase).toMatchObject({ at: "waiting", code: "uplink.protocol", attempt: 1 });
});

test("a new epoch that cannot be begun, or whose list is no list, is a failure like any other", () => {
  const garbled = greeting(model());
  garbled.hear({ type: "renewEpoch", epoch: 4, streams: [{ ...CURRENT, known: "%" }] });
  expect(garbled.phase).toMatchObject({ at: "waiting", code: "uplink.protocol" });
  const refused = greeting(model());
  refused.hear({ type: "renewEpoch", epoch: 4, streams: [] });
  refused.on({ type: "failed", error: new AppError("outbox.failed", "the disk refuses") });
  expect(refused.phase).toMatchObject({ at: "waiting", code: "outbox.failed", attempt: 1 });
  const late = model().open();
  late.hear({ type: "renewEpoch", epoch: 4, streams: [] });
  expect(late.phase).toMatchObject({ at: "waiting", code: "uplink.protocol" });
  const stopped = greeting(model());
  stopped.hear({ type: "renewEpoch", epoch: 4, streams: [] });
  stopped.on({ type: "stop" });
  stopped.on({ type: "epochRenewed" });
  expect(stopped.phase).toEqual({ at: "stopped" });
});

test("the snapshot goes behind all events, ahead of history, one frame per acknowledged envelope, and ends with the backlog", () => {
  const streams: LineInput["streams"] = [
    { lane: "E", seg: 1, frames: 20, frameBytes: 2_000 },
    { lane: "H", seg: 2, frames: 5, frameBytes: 2_000 },
    { lane: "H", seg: 1, backlog: true, frames: 200, frameBytes: 2_000 },
  ];
  const line = model({ streams, snapshotFrames: 4 }).open();
  line.run(60_000);
  const lanes = line.arrived.map(({ lane }) => lane).join("");
  expect(lanes).toMatch(/^E+L[^L]+L[^L]+L[^L]+L[^L]+$/);
  expect(lanes.indexOf("L")).toBeLessThan(lanes.indexOf("H"));
  expect(line.up.snapshot).toEqual({ at: "off" });
  const endless = model({ streams, snapshotFrames: 1_000_000 }).open();
  endless.run(120_000);
  expect(endless.up.snapshot).toEqual({ at: "off" });
  expect(endless.up.lanes.map(({ ackedSeq }) => ackedSeq)).toEqual([20, 5, 200]);
  const plain = model({ streams: streams.slice(0, 2), snapshotFrames: 4 }).open();
  plain.run(5_000);
  expect(plain.arrived.map(({ lane }) => lane)).not.toContain("L");
});

test("a refusal of a frame of lane L changes nothing but the credit", () => {
  const line = model().open();
  const nack = { type: "nack", lane: "L", seg: 1, seq: 1, expected: 1, code: "frame.garbled" } as const;
  line.hear({ ...nack, creditBytes: 77_000 });
  expect(line.up.creditBytes).toBe(77_000);
});

test("a disk that does not let frames go is asked again a second later, not forgotten", () => {
  const line = model().open();
  const up = line.phase as UpState;
  const read = { ...CURRENT, afterSeq: 0, last: 0, envelope: null, refused: true };
  const after = onFramesRead(up, read, line.settings, line.nowMs).up;
  const lane = after.lanes.find(({ seg }) => seg === CURRENT.seg)!;
  expect(lane).toMatchObject({ more: true, pauseUntilMs: line.nowMs + line.settings.busyMs });
});

test("what is sealed while the outbox looks for more is not forgotten when it found nothing", () => {
  const line = model().open();
  const nothing = { ...CURRENT, afterSeq: 0, last: 0, envelope: null };
  const moreAfter = (up: UpState) =>
    onFramesRead(up, nothing, line.settings, line.nowMs).up.lanes.find(({ seg }) => seg === CURRENT.seg)!
      .more;
  line.run(100);
  // The first makes the link ask, the second comes before the answer.
  line.seal(CURRENT, 500);
  expect(moreAfter(line.phase as UpState)).toBe(false);
  line.seal(CURRENT, 500);
  expect(moreAfter(line.phase as UpState)).toBe(true);
});
