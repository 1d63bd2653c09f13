import { expect, test } from "bun:test";
import type { Clock } from "@millrace/contract/std/clock";
import { createTurnstile, HASHING, hashesAtOnce, PASSWORD } from "./password.ts";

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

test("one core stays free of hashing, where there are two", () => {
  expect([1, 2, 3, 5, 64].map(hashesAtOnce)).toEqual([1, 1, 2, 4, PASSWORD.atOnceMax]);
});

test("S20: a row of sign-ins waits for nothing; without end they get their share of a core and no more", async () => {
  const clock = handClock();
  const turn = createTurnstile(clock, 1);
  const hashMs = 50;
  const hashes = async (count: number): Promise<number> => {
    const fromMs = clock.monoMs();
    for (let i = 0; i < count; i++) await turn(async () => clock.pass(hashMs));
    return clock.monoMs() - fromMs;
  };
  const inARow = HASHING.burstMs / hashMs;
  expect(await hashes(inARow)).toBe(inARow * hashMs);
  const flood = await hashes(1_000);
  expect((1_000 * hashMs) / flood).toBeCloseTo(HASHING.coreShare, 1);
  clock.pass(HASHING.burstMs / HASHING.coreShare);
  expect(await hashes(10)).toBe(10 * hashMs);
});

test("S20: who waits is bounded, the rest is told to come again", async () => {
  const turn = createTurnstile(handClock(), 1);
  const { promise: hold, resolve: release } = Promise.withResolvers<void>();
  const all = Array.from({ length: PASSWORD.waitingMax + 11 }, () => turn(() => hold));
  const settled = Promise.allSettled(all);
  release();
  const refused = (await settled).filter(({ status }) => status === "rejected");
  expect(refused.length).toBe(10);
});
