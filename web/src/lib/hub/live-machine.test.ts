import { describe, expect, test } from "bun:test";
import type { LiveServerMessage } from "@millrace/contract/wire/live";
import { initialLive, type LiveInput, type LiveState, SILENCE_MS, stepLive } from "./live-machine.ts";

/** Runs inputs at given times and keeps every effect, as the shell would. */
function run(steps: [number, LiveInput][], from: LiveState = initialLive()) {
  let state = from;
  const effects: { at: number; type: string; [key: string]: unknown }[] = [];
  for (const [at, input] of steps) {
    const step = stepLive(state, input, at, () => 0.5);
    state = step.state;
    for (const effect of step.effects) effects.push({ at, ...effect });
  }
  return { state, effects, types: effects.map((effect) => effect.type) };
}

const snapshot = (id: number): LiveInput => ({
  type: "message",
  message: {
    type: "snapshot",
    id,
    seq: 0,
    hubTimeMs: 1_000,
    values: [[7, 1, "good", 1_000, 1, 1_000]],
    gateways: [],
  },
});
const delta = (id: number, seq: number): LiveInput => ({
  type: "message",
  message: { type: "delta", id, seq, values: [[7, seq, "good", 1_000, seq, 1_000]], gateways: [] },
});
const heartbeat: LiveInput = {
  type: "message",
  message: { type: "hb", hubTimeMs: 1 } satisfies LiveServerMessage,
};
const opened: [number, LiveInput][] = [
  [0, { type: "want", tags: [7] }],
  [0, { type: "start" }],
  [10, { type: "opened" }],
];

describe("live link", () => {
  test("subscribes on opening and passes snapshot and deltas on in order", () => {
    const { types, effects } = run([...opened, [20, snapshot(1)], [30, delta(1, 1)], [40, delta(1, 2)]]);
    expect(types).toEqual(["open", "send", "hubTime", "values", "values", "values"]);
    expect(effects[1]).toMatchObject({ message: { type: "subscribe", id: 1, tags: [7] } });
  });
  test("a hole in the sequence asks for a new snapshot and ignores what follows of the old one", () => {
    const { effects } = run([
      ...opened,
      [20, snapshot(1)],
      [30, delta(1, 2)],
      [40, delta(1, 3)],
      [50, snapshot(2)],
    ]);
    expect(effects.filter((effect) => effect.type === "send").map((effect) => effect.message)).toEqual([
      { type: "subscribe", id: 1, tags: [7] },
      { type: "subscribe", id: 2, tags: [7] },
    ]);
    expect(effects.filter((effect) => effect.type === "values").map((effect) => effect.at)).toEqual([20, 50]);
  });
  test("a repeated delta is dropped without a new subscription", () => {
    const { types } = run([...opened, [20, snapshot(1)], [30, delta(1, 1)], [40, delta(1, 1)]]);
    expect(types.filter((type) => type === "values").length).toBe(2);
    expect(types.filter((type) => type === "send").length).toBe(1);
  });
  test("deltas before the snapshot and answers of an older subscription are ignored", () => {
    const { types } = run([
      ...opened,
      [20, delta(1, 1)],
      [30, { type: "want", tags: [8] }],
      [40, snapshot(1)],
    ]);
    expect(types).not.toContain("values");
  });
  test("silence closes the link at its limit, a heartbeat puts it off", () => {
    const silent = run([...opened, [20, snapshot(1)], [20 + SILENCE_MS - 1, { type: "tick" }]]);
    expect(silent.types).not.toContain("close");
    const closed = run([[20 + SILENCE_MS, { type: "tick" }]], silent.state);
    expect(closed.types).toEqual(["close"]);
    expect(closed.state.socket.at).toBe("closed");
    const kept = run([...opened, [20, snapshot(1)], [9_000, heartbeat], [20 + SILENCE_MS, { type: "tick" }]]);
    expect(kept.types).not.toContain("close");
  });
  test("sends a heartbeat of its own every 5 s", () => {
    const { effects } = run([
      ...opened,
      [20, snapshot(1)],
      [4_000, { type: "tick" }],
      [5_010, { type: "tick" }],
    ]);
    expect(effects.at(-1)).toMatchObject({ at: 5_010, type: "send", message: { type: "hb" } });
  });
  test("waits longer after each refusal, up to the cap, and starts short again once heard", () => {
    let state = run([[0, { type: "start" }]]).state;
    const waits: number[] = [];
    let now = 0;
    for (let i = 0; i < 8; i++) {
      state = stepLive(state, { type: "closed" }, now, () => 1).state;
      if (state.socket.at !== "closed") throw new Error("expected closed");
      waits.push(state.socket.retryAtMs - now);
      now = state.socket.retryAtMs;
      state = stepLive(state, { type: "tick" }, now, () => 1).state;
      expect(state.socket.at).toBe("opening");
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000, 15_000]);
    const heard = run(
      [
        [now, { type: "opened" }],
        [now + 5, heartbeat],
        [now + 10, { type: "closed" }],
      ],
      state,
    ).state;
    expect(heard.socket).toMatchObject({ at: "closed", attempt: 0 });
  });
  test("a link closed before anything was heard asks whether the session still stands", () => {
    expect(
      run([
        [0, { type: "start" }],
        [5, { type: "closed" }],
      ]).types,
    ).toEqual(["open", "refused"]);
    expect(run([...opened, [20, snapshot(1)], [30, { type: "closed" }]]).types).not.toContain("refused");
    // Of a socket that worked, only the hub's own word for an ended session makes the browser ask.
    expect(run([...opened, [20, snapshot(1)], [30, { type: "closed", signedOut: true }]]).types).toContain(
      "refused",
    );
  });
  test("an opening that never ends is given up", () => {
    expect(
      run([
        [0, { type: "start" }],
        [10_001, { type: "tick" }],
      ]).types,
    ).toEqual(["open", "close", "refused"]);
  });
  test("waking retries at once when closed, asks again when open, and replaces a link that fell silent in sleep", () => {
    const down = run([
      [0, { type: "start" }],
      [5, { type: "closed" }],
      [6, { type: "wake" }],
    ]);
    expect(down.state.socket).toMatchObject({ at: "opening", attempt: 0 });
    const up = run([...opened, [20, snapshot(1)], [30, { type: "wake" }]]);
    expect(up.effects.at(-1)).toMatchObject({ type: "send", message: { type: "subscribe", id: 2 } });
    const slept = run([...opened, [20, snapshot(1)], [90_000, { type: "wake" }]]);
    expect(slept.types.slice(-2)).toEqual(["close", "open"]);
  });
  test("a message outside the contract drops the link instead of being shown", () => {
    const { types, state } = run([...opened, [20, snapshot(1)], [30, { type: "garbled" }]]);
    expect(types.at(-1)).toBe("close");
    expect(state.socket.at).toBe("closed");
  });
});
