import { expect, test } from "bun:test";
import { isSecretName, REDACTED, redactData, redactText } from "./redact.ts";

for (const [what, text] of [
  ["a password in an address", "dial mqtt://plc:CANARY-1@10.0.0.1:1883/x failed"],
  ["a bearer token", "header Authorization: Bearer CANARY-1.abcdef refused"],
  ["a setting in a sentence", 'opened with password="CANARY-1 two words" and unit=3'],
  ["a setting in JSON", '{"claimToken":"CANARY-1","unit":3}'],
  ["a setting in a query", "GET /x?api_key=CANARY-1&unit=3"],
  ["a variable", "MILLRACE_CLAIM_TOKEN=CANARY-1 bun main.ts"],
  ["a private key", "-----BEGIN PRIVATE KEY-----\nCANARY-1\n-----END PRIVATE KEY-----"],
  ["a private key cut off", "found -----BEGIN EC PRIVATE KEY-----\nCANARY-1"],
] as const)
  test(`a text loses ${what}`, () => {
    const clean = redactText(text);
    expect(clean).not.toContain("CANARY-1");
    expect(clean).toContain(REDACTED);
  });

test("a known secret goes wherever it stands, and a short one stays with the words it would spoil", () => {
  expect(redactText("the line said hunter22 twice: hunter22", ["hunter22", ""])).toBe(
    `the line said ${REDACTED} twice: ${REDACTED}`,
  );
  expect(redactText("a b c", ["a"])).toBe("a b c");
});

test("what is no secret stays as it is", () => {
  for (const text of [
    "10.0.0.1:502 refused the connection",
    "http://hub.example:8080/api/v1/uplink did not answer within 10 s",
    "Millrace gateway token bucket is empty",
    "holding:40001 of unit 3: illegal address",
  ])
    expect(redactText(text)).toBe(text);
});

test("data loses secrets by name at any depth, and keeps the rest and its shape", () => {
  const data = {
    host: "10.0.0.1",
    unit: 1,
    password: "CANARY-1",
    empty: null,
    token: "",
    deep: [{ privateKey: { kty: "OKP", d: "CANARY-1" }, seed: "CANARY-1" }],
    note: "mqtt://a:CANARY-1@b",
  };
  const clean = redactData(data, [], new Set(["seed"]));
  expect(JSON.stringify(clean)).not.toContain("CANARY-1");
  expect(clean).toMatchObject({ host: "10.0.0.1", unit: 1, empty: null, token: "", password: REDACTED });
});

test("names that announce a secret", () => {
  for (const name of [
    "password",
    "plcPassword",
    "claimToken",
    "api_key",
    "apiKey",
    "PIN",
    "privateKey",
    "passphrase",
  ])
    expect([name, isSecretName(name)]).toEqual([name, true]);
  for (const name of ["host", "port", "unit", "keyId", "bypass_ms", "pinned", "compass", "passed"])
    expect([name, isSecretName(name)]).toEqual([name, false]);
});
