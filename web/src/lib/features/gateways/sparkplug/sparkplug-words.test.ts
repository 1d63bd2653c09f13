import { expect, test } from "bun:test";
import type { SparkplugStatus } from "@millrace/contract/vocabulary/sparkplug";
import { fieldsOf } from "../../plant/settings/setting-form.ts";
import {
  idProblem,
  isWell,
  namesOf,
  problemsOfSettings,
  SPARKPLUG_FORM,
  stateWords,
  writtenNames,
} from "./sparkplug-words.ts";

const status = (over: Partial<SparkplugStatus>) =>
  ({ state: "online", reason: "", ...over }) as SparkplugStatus;

test("the state is one sentence with its cause, and nothing told yet is no fault", () => {
  expect(stateWords(status({}))).toBe("Tells its devices to the broker");
  const lost = status({ state: "connecting", reason: "mqtt://b: nothing listens at this port." });
  expect(stateWords(lost)).toBe("Not connected to the broker: mqtt://b: nothing listens at this port.");
  expect([isWell(status({})), isWell(lost), isWell(null)]).toEqual([true, false, true]);
});

test("the form asks for everything but the names of devices, the address and the names first", () => {
  const fields = fieldsOf(SPARKPLUG_FORM);
  expect(fields.some(({ name }) => name === "deviceIds")).toBe(false);
  expect(fields.filter(({ main }) => main).map(({ name }) => name)).toEqual([
    "broker",
    "user",
    "password",
    "groupId",
    "edgeNodeId",
    "primaryHost",
    "writes",
  ]);
  expect(fields.find(({ name }) => name === "clientKey")?.kind).toBe("secret");
});

test("settings are judged as the hub judges them; a secret that is kept is none of it", () => {
  expect([...problemsOfSettings({}).keys()]).toEqual(["broker"]);
  const kept = { broker: "mqtt://b", user: "u", password: { secret: "gateways/GW/password" } };
  expect(problemsOfSettings(kept).size).toBe(0);
  expect(problemsOfSettings({ broker: "mqtt://b", password: "x" }).has("user")).toBe(true);
});

test("names of devices: as they are called, as somebody writes them, and what cannot be one", () => {
  const devices = [
    { id: "0190a000-0000-7000-8000-000000000001", name: "Press", path: "A/Press" },
    { id: "0190a000-0000-7000-8000-000000000002", name: "Press", path: "B/Press" },
  ];
  expect([...namesOf(devices, {}).values()]).toEqual(["A.Press", "B.Press"]);
  expect(namesOf(devices, { "A/Press": "P1" }).get(devices[0]!.id)).toBe("P1");
  expect(writtenNames({ "A/Press": " P1 ", "B/Press": " " })).toEqual({ "A/Press": "P1" });
  expect(writtenNames({ "A/Press": "" })).toBeUndefined();
  expect([idProblem(""), idProblem("P 1"), idProblem("a/b")]).toEqual(["", "", "No + # / please."]);
});
