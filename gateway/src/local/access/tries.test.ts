import { describe, expect, test } from "bun:test";
import { FakeClock } from "../../../test/fake-clock.ts";
import { makePin, pinProblem, plainPin, spacedPin } from "./pin.ts";
import { neighbourOf, TRIES, Tries } from "./tries.ts";

describe("a PIN", () => {
  test("is eight digits, each as likely as any other, from nothing but the bytes", () => {
    const bytes = (number: number) => () => {
      const four = new Uint8Array(4);
      new DataView(four.buffer).setUint32(0, number);
      return four;
    };
    expect(makePin(bytes(42))).toBe("00000042");
    // Above the last whole hundred million the small PINs would come more often: thrown away.
    let tries = 0;
    const unfair = (count: number) => (tries++ === 0 ? new Uint8Array(count).fill(255) : bytes(7)());
    expect(makePin(unfair)).toBe("00000007");
    expect(spacedPin("00000042")).toBe("0000 0042");
    expect(plainPin(" 0000 0042 ")).toBe("00000042");
    expect(plainPin("two words")).toBe("two words");
  });

  for (const weak of ["1234567", "11111111", "12345678", "87654321", "12121212", "47114711", "x".repeat(65)])
    test(`"${weak.slice(0, 10)}" may not be chosen`, () => expect(pinProblem(weak)).not.toBeNull());
  for (const fine of ["93810246", "horse-stapler"])
    test(`"${fine}" may`, () => expect(pinProblem(fine)).toBeNull());
});

describe("a neighbour", () => {
  for (const [address, neighbour] of [
    ["192.168.0.7", "192.168.0.7"],
    ["::ffff:192.168.0.7", "192.168.0.7"],
    ["127.0.0.1", "loopback"],
    ["::ffff:127.0.0.2", "loopback"],
    ["::1", "loopback"],
    ["fd00:1:2:3:4:5:6:7", "fd00:1:2:3::/64"],
    ["fd00:1:2:3::9", "fd00:1:2:3::/64"],
    ["FE80::1%eth0", "fe80:0:0:0::/64"],
  ] as const)
    test(`${address} is ${neighbour}`, () => expect(neighbourOf(address)).toBe(neighbour));
});

describe("wrong PINs", () => {
  const wrong = (tries: Tries, neighbour: string, count: number) => {
    for (let n = 0; n < count; n++) tries.wrong(neighbour);
  };

  test("five lock out that neighbour alone, for a quarter of an hour", async () => {
    const clock = new FakeClock();
    const tries = new Tries(clock);
    wrong(tries, "10.0.0.1", 4);
    expect(tries.lockOf("10.0.0.1")).toBeNull();
    expect(tries.wrong("10.0.0.1")).toEqual({ locked: "address", left: 0 });
    expect(tries.lockOf("10.0.0.1")).toEqual({ scope: "address", leftMs: TRIES.lockMs });
    expect(tries.lockOf("10.0.0.2")).toBeNull();
    await clock.advance(TRIES.lockMs - 1);
    expect(tries.lockOf("10.0.0.1")?.leftMs).toBe(1);
    await clock.advance(1);
    expect(tries.lockOf("10.0.0.1")).toBeNull();
    expect(tries.lockedMs()).toBe(0);
  });

  test("those of long ago and those before a right one do not count", async () => {
    const clock = new FakeClock();
    const tries = new Tries(clock);
    wrong(tries, "10.0.0.1", 4);
    await clock.advance(TRIES.windowMs);
    expect(tries.lockOf("10.0.0.1")).toBeNull();
    expect(tries.wrong("10.0.0.1").left).toBe(4);
    tries.right("10.0.0.1");
    expect(tries.wrong("10.0.0.1").left).toBe(4);
  });

  test("of many strangers lock the gateway, but not its own console nor whoever was in today", async () => {
    const clock = new FakeClock();
    const tries = new Tries(clock);
    tries.right("10.0.0.99");
    for (let n = 0; n < TRIES.perGateway; n++) tries.wrong(`10.0.1.${n}`);
    expect(tries.lockOf("10.0.2.1")?.scope).toBe("gateway");
    expect(tries.lockOf("loopback")).toBeNull();
    expect(tries.lockOf("10.0.0.99")).toBeNull();
    // They keep tries of their own, not more.
    wrong(tries, "loopback", TRIES.perAddress);
    expect(tries.lockOf("loopback")?.scope).toBe("address");
    await clock.advance(TRIES.lockMs);
    expect(tries.lockOf("10.0.2.1")).toBeNull();
  });

  test("a known address is a stranger again after its hours", async () => {
    const clock = new FakeClock();
    const tries = new Tries(clock);
    tries.right("10.0.0.99");
    await clock.advance(TRIES.knownMs);
    for (let n = 0; n < TRIES.perGateway; n++) tries.wrong(`10.0.1.${n}`);
    expect(tries.lockOf("10.0.0.99")?.scope).toBe("gateway");
  });
});
