import { expect, test } from "bun:test";
import { readSettings } from "./settings.ts";

const messageOf = (environment: Record<string, string>): string => {
  try {
    readSettings(environment);
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : "";
  }
  return "";
};

test("defaults stand on their own", () => {
  expect(readSettings({})).toMatchObject({ localHost: "127.0.0.1", localPort: 8081, allowPlain: false });
});

test.each([
  ["MILLRACE_LOCAL_PORT", "70000"],
  ["MILLRACE_LOCAL_PORT", "80.5"],
  ["MILLRACE_HUB_URL", "ftp://hub"],
  ["MILLRACE_HUB_URL", "http://hub.example"],
  ["MILLRACE_OUTBOX_BYTES_MAX", "12"],
  ["MILLRACE_ALLOW_PLAIN", "yes"],
  ["MILLRACE_LOG_LEVEL", "loud"],
])("%s=%s is refused by name, with what was found", (name, value) => {
  const message = messageOf({ [name]: value });
  expect(message.startsWith(`${name}: `)).toBe(true);
  expect(message).toContain(`found "${value}"`);
});

test("a secret is never repeated, and a missing secret file is named", () => {
  expect(messageOf({ MILLRACE_CLAIM_TOKEN: "hunter2" })).not.toContain("hunter2");
  expect(messageOf({ MILLRACE_CLAIM_TOKEN_FILE: "/nowhere/token" })).toContain("MILLRACE_CLAIM_TOKEN_FILE");
});

test("plain http to another machine needs a word of consent; loopback does not", () => {
  expect(readSettings({ MILLRACE_HUB_URL: "http://hub.example", MILLRACE_ALLOW_PLAIN: "1" }).allowPlain).toBe(
    true,
  );
  expect(messageOf({ MILLRACE_HUB_URL: "http://127.0.0.1:8080" })).toBe("");
});
