import { expect, test } from "bun:test";
import { type Clock, systemClock } from "@millrace/contract/std/clock";
import { addressBucket } from "../address.ts";
import { ACCOUNT_LIMITS, createThrottle, type ThrottleLimits } from "./throttle.ts";

function throttle(limits: ThrottleLimits = ACCOUNT_LIMITS) {
  let nowMs = 0;
  const clock: Clock = { ...systemClock, monoMs: () => nowMs };
  const made = createThrottle(limits, clock);
  /** Seconds to wait, 0 for none. */
  const waitS = (name: string): number => {
    try {
      made.check(name);
      return 0;
    } catch (thrown) {
      return (thrown as { context: { retryAfterS: number } }).context.retryAfterS;
    }
  };
  return { ...made, waitS, pass: (ms: number) => (nowMs += ms) };
}

test("four failures are free; from the fifth on each doubles the wait, up to a minute", () => {
  const { failed, waitS, pass } = throttle();
  const waits: number[] = [];
  for (let i = 0; i < 13; i++) {
    failed("ada");
    waits.push(waitS("ada"));
    pass(waits.at(-1)! * 1_000);
  }
  expect(waits).toEqual([0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
});

test("S12: a thousand guesses in an hour get twenty checked, however patient", () => {
  const { failed, waitS, pass } = throttle();
  let checked = 0;
  for (let i = 0; i < 1_000; i++) {
    if (waitS("ada") === 0) {
      checked += 1;
      failed("ada");
    }
    pass(3_590);
  }
  expect(checked).toBe(ACCOUNT_LIMITS.failuresMax);
  pass(ACCOUNT_LIMITS.windowMs);
  expect(waitS("ada")).toBe(0);
});

test("one name's failures are nobody else's, and a success clears them", () => {
  const { failed, waitS, succeeded } = throttle();
  for (let i = 0; i < 10; i++) failed("ada");
  expect([waitS("ada") > 0, waitS("bob")]).toEqual([true, 0]);
  succeeded("ada");
  expect(waitS("ada")).toBe(0);
});

test("names are forgotten beyond the limit, the one that failed longest ago first", () => {
  const { failed, waitS } = throttle({ ...ACCOUNT_LIMITS, freeFailures: 0, namesMax: 2 });
  for (const name of ["a", "b", "a", "c"]) failed(name);
  expect([waitS("a") > 0, waitS("b"), waitS("c") > 0]).toEqual([true, 0, true]);
});

test.each([
  [["192.0.2.1", "::ffff:192.0.2.1", "::FFFF:192.0.2.1"], "192.0.2.1"],
  [["2001:db8:0:1::1", "2001:DB8:0:1:ffff::2", "2001:0db8:0000:0001:1:2:3:4"], "2001:db8:0:1::/64"],
  [["::1", "0:0:0:0:0:0:0:1"], "0:0:0:0::/64"],
  [["fe80::1%eth0", "fe80::2"], "fe80:0:0:0::/64"],
] as const)("S13: %p are one customer", (addresses, bucket) => {
  for (const address of addresses) expect([address, addressBucket(address)]).toEqual([address, bucket]);
});
