import { expect, test } from "bun:test";
import { Value } from "@sinclair/typebox/value";
import { sparkplugDeviceIds } from "./id.ts";
import { SparkplugId } from "./settings.ts";

const device = (n: number, path: string) => ({
  deviceId: `0190a000-0000-7000-8000-${String(n).padStart(12, "0")}`,
  name: path.split("/").at(-1)!,
  path,
});
const idsOf = (paths: string[], written?: Record<string, string>) => {
  const devices = paths.map((path, index) => device(index + 1, path));
  const ids = sparkplugDeviceIds(devices, written);
  return devices.map(({ deviceId }) => ids.get(deviceId));
};

test("SP29: a device is called by its name, by its path where two have one name, and as somebody wrote it", () => {
  expect(idsOf(["Plant/Hall 1/Press", "Plant/Hall 1/Oven"])).toEqual(["Press", "Oven"]);
  expect(idsOf(["Plant/A/Press", "Plant/B/Press"])).toEqual(["Plant.A.Press", "Plant.B.Press"]);
  expect(idsOf(["Plant/A/Press", "Plant/A/Oven"], { "Plant/A/Press": "P-1" })).toEqual(["P-1", "Oven"]);
  // Who wrote a name keeps it, and the other one gives way.
  expect(idsOf(["Plant/A/Press", "Plant/A/Oven"], { "Plant/A/Oven": "Press" })).toEqual([
    "Plant.A.Press",
    "Press",
  ]);
});

test("SP30: no two devices of an edge node have one identifier, nor two that differ only in case", () => {
  const ids = idsOf(["P/A/press", "P/B/PRESS", "P/A/B.C/x", "P/A.B/C/x", "P/A/y"], {
    "P/A/y": "P.A.B.C.x",
  });
  expect(new Set(ids.map((id) => id?.toLowerCase())).size).toBe(ids.length);
  const twice = idsOf(["P/A", "P/B"], { "P/A": "same", "P/B": "same" });
  expect(twice[0]).toBe("same");
  expect(twice[1]).toStartWith("same ");
});

test("SP31: an identifier has none of + # / and is never empty", () => {
  for (const id of idsOf(["P/A/Press", "P/B/Press"])) expect(Value.Check(SparkplugId, id)).toBe(true);
  for (const bad of ["", "a/b", "a+", "#", "a\nb"]) expect(Value.Check(SparkplugId, bad)).toBe(false);
  expect(Value.Check(SparkplugId, "Mühle 7, Süd")).toBe(true);
});
