import { expect, test } from "bun:test";
import type { SparkplugStatus } from "@millrace/contract/vocabulary/sparkplug";
import { sparkplugRung } from "./sparkplug-rung.ts";

const STATUS: SparkplugStatus = {
  state: "online",
  sinceMs: 1_000,
  code: "",
  reason: "",
  groupId: "Plant",
  edgeNodeId: "GW 1",
  births: 2,
  lastBirthMs: 5_000,
  rebirths: 0,
  lastRebirthMs: null,
  devicesOnline: 3,
  messages: 70,
  waiting: 4,
  dropped: 0,
  writesDone: 0,
  writesRefused: 1,
};
const rung = (over: Partial<SparkplugStatus>) => sparkplugRung({ ...STATUS, ...over }, (ms) => `at ${ms}`);

test("the edge node's rung says how it stands, in figures, and what to do", () => {
  expect(rung({})).toMatchObject({ state: "ok", sinceMs: 1_000, cause: "", nextStep: "" });
  const { numbers } = rung({});
  for (const part of [
    "Plant / GW 1",
    "3 devices",
    "2 births, last at 5000",
    "0 asked for, last never",
    "1 refused",
  ])
    expect(numbers).toContain(part);
  const waiting = rung({ state: "waiting", reason: 'The primary host "scada" is not online.' });
  expect(waiting).toMatchObject({ state: "warn", cause: 'The primary host "scada" is not online.' });
  expect(waiting.nextStep).toContain("Start the host");
  const lost = rung({ state: "connecting", code: "link.refused", reason: "nothing listens" });
  expect([lost.state, lost.nextStep === ""]).toEqual(["warn", false]);
  expect(rung({ state: "stopped", code: "setting.wrong" }).state).toBe("fault");
});
