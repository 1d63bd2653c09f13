import { expect, test } from "bun:test";
import { AS_IT_IS, togetherChange, togetherHoursProblem } from "./devices-together.ts";

test("only what was chosen is changed, and nothing chosen is nothing to publish", () => {
  expect(togetherChange(AS_IT_IS)).toBeNull();
  expect(togetherChange({ ...AS_IT_IS, read: "off" })).toEqual({ enabled: false });
  expect(togetherChange({ ...AS_IT_IS, siteId: "s", gatewayId: "g", read: "on" })).toEqual({
    siteId: "s",
    gatewayId: "g",
    enabled: true,
  });
});

test("hours are one line, and always takes them away", () => {
  expect(togetherChange({ ...AS_IT_IS, hours: " Always " })).toEqual({ hours: null });
  expect(togetherChange({ ...AS_IT_IS, hours: "mon 06:00-14:00 UTC" })).toEqual({
    hours: { timeZone: "UTC", days: { mon: ["06:00-14:00"] } },
  });
  expect(togetherChange({ ...AS_IT_IS, hours: "sometimes" })).toBeNull();
  expect(togetherHoursProblem("sometimes")).not.toBe("");
  expect(togetherHoursProblem("always")).toBe("");
});
