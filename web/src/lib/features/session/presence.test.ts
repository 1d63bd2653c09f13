import { expect, test } from "bun:test";
import { watchPresence } from "./presence.ts";

/** A clock that moves by hand, and the requests the hub got. */
function desk(idleS: number) {
  let nowMs = 0;
  const due = new Set<{ atMs: number; run: () => void }>();
  const told: number[] = [];
  let idle = 0;
  const clock = {
    nowMs: () => nowMs,
    monoMs: () => nowMs,
    after(ms: number, run: () => void) {
      const one = { atMs: nowMs + ms, run };
      due.add(one);
      return () => void due.delete(one);
    },
  };
  const client = { tell: async () => void told.push(nowMs) };
  const stop = watchPresence({ clock, client, idleS, onIdle: () => void idle++ } as unknown as Parameters<
    typeof watchPresence
  >[0]);
  return {
    told,
    stop,
    idle: () => idle,
    pass(ms: number) {
      nowMs += ms;
      for (const one of [...due]) if (one.atMs <= nowMs && due.delete(one)) one.run();
    },
    touch: () => dispatchEvent(new Event("pointerdown")),
  };
}

test("the hub is told of real input, once a minute at most", () => {
  const { told, stop, pass, touch } = desk(900);
  for (let second = 0; second < 180; second++) {
    pass(1_000);
    touch();
  }
  stop();
  touch();
  expect(told).toEqual([60_000, 120_000, 180_000]);
});

test("without input the session ends, and input puts that off", () => {
  const { idle, stop, pass, touch } = desk(900);
  pass(899_000);
  touch();
  pass(899_000);
  expect(idle()).toBe(0);
  pass(1_000);
  expect(idle()).toBe(1);
  stop();
});
