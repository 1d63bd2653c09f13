import { expect, test } from "bun:test";
import { ModbusSettings } from "@millrace/contract/driver/modbus/settings";
import { PushSettings } from "@millrace/contract/driver/push/settings";
import { declarationOf } from "@millrace/contract/driver/registry";
import { Type } from "@sinclair/typebox";
import {
  fieldsOf,
  isAsked,
  keptSecretsOf,
  labelOf,
  makeSecret,
  settingsOf,
  textsOf,
} from "./setting-form.ts";

test("the form of a driver is its schema: what must be typed comes at once, the rest has a standard", () => {
  const fields = fieldsOf(ModbusSettings);
  const first = fields.filter((field) => field.main && isAsked(field, {}, () => "tcp"));
  expect(first.map(({ name }) => name)).toEqual(["transport", "host", "port", "unit"]);
  expect(fields.find(({ name }) => name === "host")?.standard).toBeNull();
  expect(fields.find(({ name }) => name === "wordOrder")).toMatchObject({
    kind: "choice",
    standard: "high-first",
    choices: ["high-first", "low-first"],
  });
  expect(fields.find(({ name }) => name === "timeoutMs")).toMatchObject({
    label: "Timeout",
    unit: "ms",
    kind: "number",
  });
});

test("what is typed becomes the driver's type, and what is not typed is not set", () => {
  const texts = { host: " 10.0.0.5 ", port: "", unit: "3", addressBase: "1", idsNotEchoed: "true" };
  const settings = settingsOf(ModbusSettings, texts);
  expect(settings).toEqual({ host: "10.0.0.5", unit: 3, addressBase: 1, idsNotEchoed: true });
  expect(settingsOf(ModbusSettings, textsOf(settings))).toEqual(settings);
});

test("a number that is none is kept as it was typed, so that the driver can refuse it in its own words", () => {
  expect(settingsOf(ModbusSettings, { port: "5o2" })).toEqual({ port: "5o2" });
});

test("names become words", () => {
  const names = ["idsNotEchoed", "connectTimeoutMs", "host", "pduMax", "localTsap", "dbLengthCheck"];
  expect(names.map(labelOf)).toEqual([
    "IDs not echoed",
    "Connect timeout",
    "Host",
    "PDU max",
    "Local TSAP",
    "DB length check",
  ]);
});

test("a secret that is set has no text; it stays, is replaced by what is typed, or is taken away", () => {
  const schema = Type.Object({
    host: Type.String(),
    password: Type.Optional(Type.String({ secret: true })),
    pin: Type.Optional(Type.String({ secret: true })),
  });
  const stored = { host: "h", password: { secret: "devices/Plant/A/password" } };
  const [texts, kept] = [textsOf(stored), keptSecretsOf(stored)];
  expect([texts, kept]).toEqual([{ host: "h" }, { password: stored.password }]);
  expect(settingsOf(schema, texts, kept)).toEqual(stored);
  expect(settingsOf(schema, { ...texts, password: " {new} " }, kept)).toEqual({
    host: "h",
    password: " {new} ",
  });
  expect(settingsOf(schema, texts, {})).toEqual({ host: "h" });
  expect(settingsOf(schema, { ...texts, pin: "1234" }, kept)).toEqual({ ...stored, pin: "1234" });
});

test("a token can be made where the schema says so, and fits it", () => {
  expect(
    fieldsOf(PushSettings)
      .filter(({ made }) => made)
      .map(({ name }) => name),
  ).toEqual(["token"]);
  const secret = makeSecret((bytes) => bytes.fill(255));
  expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
});

test("what only one kind of login needs is asked for with it alone, and never hidden when it was typed", () => {
  const schema = declarationOf("opcua").settings;
  const asked = (texts: Record<string, string>) =>
    fieldsOf(schema)
      .filter((field) => field.when !== null && isAsked(field, texts, () => "anonymous"))
      .map(({ name }) => name);
  expect(asked({})).toEqual([]);
  expect(asked({ login: "user" })).toEqual(["user", "password"]);
  expect(asked({ login: "certificate" })).toEqual(["userCertificate", "userKey"]);
  expect(asked({ user: "mill" })).toEqual(["user"]);
});

test("what a serial line needs is asked for at a serial port alone, and a host on the network alone", () => {
  const schema = declarationOf("modbus").settings;
  const asked = (transport: string) =>
    fieldsOf(schema)
      .filter((field) => field.main && field.when !== null && isAsked(field, { transport }, () => "tcp"))
      .map(({ name }) => name);
  expect(asked("")).toEqual(["host", "port"]);
  expect(asked("rtuOverTcp")).toEqual(["host", "port"]);
  expect(asked("serial")).toEqual(["serialPort", "baudRate", "parity"]);
});
