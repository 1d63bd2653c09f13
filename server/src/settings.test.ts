import { expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSettings } from "./settings.ts";

const messageOf = (environment: Record<string, string>): string => {
  try {
    readSettings(environment);
    return "";
  } catch (thrown) {
    return (thrown as Error).message;
  }
};

test("defaults: loopback, 8080, the embedded PostgreSQL", () => {
  expect(readSettings({})).toMatchObject({ host: "127.0.0.1", port: 8080, allowPlain: false });
  expect(readSettings({}).databaseUrl).toBeUndefined();
});

test.each([
  [{ MILLRACE_PORT: "eighty" }, "MILLRACE_PORT: "],
  [{ MILLRACE_PORT: "70000" }, "MILLRACE_PORT: "],
  [{ MILLRACE_PUBLIC_URL: "ftp://hub" }, "MILLRACE_PUBLIC_URL: "],
  [{ MILLRACE_HOST: "0.0.0.0" }, "MILLRACE_HOST: "],
  [{ MILLRACE_LOG_LEVEL: "loud" }, "MILLRACE_LOG_LEVEL: "],
  [{ MILLRACE_ADMIN_API_KEY_FILE: "/nowhere/key" }, "MILLRACE_ADMIN_API_KEY_FILE: "],
])("%p is refused by name", (environment, start) => {
  expect(messageOf(environment as Record<string, string>)).toStartWith(start);
});

test("S39: a secret is never repeated", () => {
  const secret = "short-secret-value";
  expect(messageOf({ MILLRACE_ADMIN_API_KEY: secret })).not.toContain(secret);
  expect(messageOf({ DATABASE_URL: `mysql://u:${secret}@h/d` })).not.toContain(secret);
});

test("other machines are served in plain only with a word of consent, or behind https", () => {
  expect(messageOf({ MILLRACE_HOST: "0.0.0.0", MILLRACE_ALLOW_PLAIN: "1" })).toBe("");
  expect(messageOf({ MILLRACE_HOST: "0.0.0.0", MILLRACE_PUBLIC_URL: "https://hub.example" })).toBe("");
});

test("a secret may come from a file; the variable itself wins", async () => {
  const folder = await mkdtemp(join(tmpdir(), "millrace-settings-"));
  try {
    const file = join(folder, "key");
    await writeFile(file, `${"f".repeat(40)}\n`);
    const environment = { MILLRACE_ADMIN_API_KEY_FILE: file };
    expect(readSettings(environment).adminApiKey).toBe("f".repeat(40));
    const both = { ...environment, MILLRACE_ADMIN_API_KEY: "d".repeat(40) };
    expect(readSettings(both).adminApiKey).toBe("d".repeat(40));
    await writeFile(file, "too-short-secret");
    expect(messageOf(environment)).toStartWith("MILLRACE_ADMIN_API_KEY: ");
    expect(messageOf(environment)).not.toContain("too-short-secret");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
