import { expect, test } from "bun:test";
import type { AppError } from "../error/app-error.ts";
import { NETWORK_HOSTS_MAX, networkHosts } from "./network.ts";

test("the machines of a network, without its own address and the one for all", () => {
  const hosts = networkHosts(" 192.168.1.77/24 ");
  expect([hosts.length, hosts[0], hosts.at(-1)]).toEqual([NETWORK_HOSTS_MAX, "192.168.1.1", "192.168.1.254"]);
  expect(networkHosts("10.255.0.8/30")).toEqual(["10.255.0.9", "10.255.0.10"]);
  expect(networkHosts("172.31.0.5/32")).toEqual(["172.31.0.5"]);
  expect(networkHosts("127.0.0.2/31")).toEqual(["127.0.0.2", "127.0.0.3"]);
});

test.each([
  ["8.8.8.0/24", "private"],
  ["172.32.0.0/24", "private"],
  ["192.168.0.0/16", "/24 or smaller"],
  ["0.0.0.0/0", "/24 or smaller"],
  ["192.168.1.0", "such as"],
  ["192.168.1.300/24", "such as"],
  ["192.168.1.0/33", "such as"],
  ["fe80::/64", "such as"],
  ["", "such as"],
])("%p is refused with what would be right", (text, right) => {
  let thrown: unknown;
  try {
    networkHosts(text);
  } catch (error) {
    thrown = error;
  }
  expect((thrown as AppError).code).toBe("request.invalid");
  expect((thrown as AppError).message).toContain(right);
});
