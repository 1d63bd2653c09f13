import { expect, test } from "bun:test";
import { addressBucket, peerAddress, plainAddress, readProxies } from "./address.ts";

test("S13: one address is one name, however it is written", () => {
  const v4 = ["10.1.2.3", "::ffff:10.1.2.3", "::FFFF:0a01:0203", "0:0:0:0:0:ffff:10.1.2.3"];
  expect(new Set(v4.map(addressBucket))).toEqual(new Set(["10.1.2.3"]));
  const v6 = [
    "2001:db8::1",
    "2001:DB8:0:0::ffff",
    "2001:0db8:0000:0000:1:2:3:4",
    "2001:db8::5:6%eth0",
    "2001:db8::10.1.2.3",
  ];
  expect(new Set(v6.map(addressBucket))).toEqual(new Set(["2001:db8:0:0::/64"]));
  expect(addressBucket("2001:db8:0:1::1")).not.toBe(addressBucket("2001:db8::1"));
  expect(addressBucket("::1")).toBe("0:0:0:0::/64");
  expect(addressBucket("unknown")).toBe("unknown");
  for (const wrong of ["", "10.1.2", "10.01.2.3", "0x0a.1.2.3", "g::1", "1.2.3.4, 5.6.7.8", "localhost"])
    expect([wrong, plainAddress(wrong)]).toEqual([wrong, null]);
});

test("S13: a forwarded address counts only from a proxy that is named", () => {
  const none = readProxies("");
  expect(peerAddress("10.0.0.1", "1.1.1.1", none)).toBe("10.0.0.1");
  const trusts = readProxies("10.0.0.0/8, 127.0.0.1, fd00::/8");
  const from = (socket: string, header: string | null) => peerAddress(socket, header, trusts);
  expect(from("203.0.113.5", "1.1.1.1")).toBe("203.0.113.5");
  expect(from("10.0.0.1", null)).toBe("10.0.0.1");
  expect(from("10.0.0.1", "203.0.113.5")).toBe("203.0.113.5");
  expect(from("::ffff:10.0.0.1", "203.0.113.5")).toBe("203.0.113.5");
  expect(from("fd00::1", "2001:db8::7")).toBe("2001:db8::7");
});

test("S13: only the nearest stranger counts, whatever stands before it", () => {
  const trusts = readProxies("10.0.0.0/8");
  const from = (header: string) => peerAddress("10.0.0.1", header, trusts);
  expect(from("9.9.9.9, 203.0.113.5")).toBe("203.0.113.5");
  expect(from("9.9.9.9, 203.0.113.5, 10.0.0.2")).toBe("203.0.113.5");
  expect(from("10.0.0.3, 10.0.0.2")).toBe("10.0.0.3");
  expect(from("203.0.113.5:4711")).toBe("203.0.113.5");
  expect(from("[2001:db8::1]:4711")).toBe("2001:db8::1");
  expect(from("203.0.113.5, rubbish")).toBe("10.0.0.1");
  expect(from("")).toBe("10.0.0.1");
  expect(from(`203.0.113.5, ${"10.0.0.2, ".repeat(5_000)}10.0.0.2`)).toBe("10.0.0.2");
});

test.each(["10.0.0", "10.0.0.0/33", "fd00::/129", "proxy.example", "10.0.0.0/x", "10.0.0.0/8/8"])(
  "%p is no proxy",
  (list) => {
    expect(() => readProxies(`127.0.0.1, ${list}`)).toThrow(list);
  },
);
