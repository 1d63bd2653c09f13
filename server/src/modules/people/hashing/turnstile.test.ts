import { expect, test } from "bun:test";
import type { Clock } from "@millrace/contract/std/clock";
import { createTurnstile, HASHING, TURNSTILE } from "./turnstile.ts";

/** Time that passes when somebody works or sleeps, and not otherwise. */
function handClock(): Clock & { pass(ms: number): void } {
  let atMs = 0;
  const pass = (ms: number) => {
    atMs += ms;
  };
  return {
    pass,
    nowMs: () => atMs,
    monoMs: () => atMs,
    sleep: async (ms) => pass(ms),
    after: () => () => {},
  };
}

test("S20: a row of sign-ins waits for nothing; without end they get their share of a core and no more", async () => {
  const clock = handClock();
  const turn = createTurnstile(clock);
  const hashMs = 50;
  const hashes = async (count: number): Promise<number> => {
    const fromMs = clock.monoMs();
    for (let i = 0; i < count; i++)
      await turn(async () => {
        clock.pass(hashMs);
        return { value: null, cpuMs: hashMs };
      });
    return clock.monoMs() - fromMs;
  };
  const inARow = HASHING.burstMs / hashMs;
  expect(await hashes(inARow)).toBe(inARow * hashMs);
  const flood = await hashes(1_000);
  expect((1_000 * hashMs) / flood).toBeCloseTo(HASHING.coreShare, 1);
  clock.pass(HASHING.burstMs / HASHING.coreShare);
  expect(await hashes(10)).toBe(10 * hashMs);
});

test("S20: a thread that the machine keeps waiting is charged for its work alone", async () => {
  const clock = handClock();
  const turn = createTurnstile(clock);
  for (let i = 0; i < 1_000; i++)
    await turn(async () => {
      clock.pass(1_000);
      return { value: null, cpuMs: 50 };
    });
  expect(clock.monoMs()).toBe(1_000_000);
});

test("S20: who waits is bounded, the rest is told to come again", async () => {
  const turn = createTurnstile(handClock());
  const { promise: hold, resolve: release } = Promise.withResolvers<void>();
  const waits = async () => {
    await hold;
    return { value: null, cpuMs: 0 };
  };
  const all = Array.from({ length: TURNSTILE.waitingMax + 11 }, () => turn(waits));
  const settled = Promise.allSettled(all);
  release();
  const refused = (await settled).filter(({ status }) => status === "rejected");
  expect(refused.length).toBe(10);
});

test("one after the other, also when one fails", async () => {
  const turn = createTurnstile(handClock());
  let running = 0;
  const all = Array.from({ length: 10 }, (_, no) =>
    turn(async () => {
      expect(++running).toBe(1);
      await Bun.sleep(1);
      running -= 1;
      if (no === 3) throw new Error("unreadable");
      return { value: no, cpuMs: 1 };
    }),
  );
  const ends = await Promise.allSettled(all);
  expect(ends.map(({ status }) => status === "fulfilled")).toEqual(ends.map((_, no) => no !== 3));
});
