import { expect, test } from "bun:test";
import { redactLine } from "@millrace/contract/std/redact";
import { operatorSecrets } from "./log.ts";

test("what the operator gave stands in no line, also inside JSON, which stays JSON", () => {
  const password = "p@ss:word";
  const databaseUrl = `postgres://m:${encodeURIComponent(password)}@db/millrace`;
  const adminApiKey = "k".repeat(32);
  const secrets = operatorSecrets({ databaseUrl, adminApiKey });
  const error = {
    cause: `no answer of ${databaseUrl}`,
    password,
    at: "postgres://a:b@c/d",
    key: adminApiKey,
  };
  const line = redactLine(JSON.stringify(error), secrets);
  for (const secret of [password, encodeURIComponent(password), adminApiKey, "a:b@"])
    expect(line).not.toContain(secret);
  expect(Object.keys(JSON.parse(line))).toEqual(Object.keys(error));
  expect(operatorSecrets({})).toEqual([]);
});
