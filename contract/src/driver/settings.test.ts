import { expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { AppError } from "../error/app-error.ts";
import type { DriverDeclaration } from "./declaration.ts";
import { decodeSettings, settingsTable } from "./settings.ts";

const schema = Type.Object(
  {
    host: Type.String({ minLength: 1, maxLength: 20, description: "Where" }),
    password: Type.String({ minLength: 8, maxLength: 20, secret: true, description: "Secret" }),
    waitMs: Type.Integer({
      minimum: 1,
      maximum: 9,
      default: 3,
      unit: "ms",
      description: "Wait",
      examples: [2],
    }),
  },
  { additionalProperties: false },
);
const driver = { kind: "toy", label: "Toy", settings: schema } as DriverDeclaration<typeof schema>;

function refusal(json: unknown): AppError {
  try {
    decodeSettings(driver, json);
  } catch (error) {
    if (error instanceof AppError) return error;
  }
  throw new Error("was taken");
}

test("defaults are filled in and the input is left alone", () => {
  const json = { host: "a", password: "longenough" };
  expect(decodeSettings(driver, json)).toEqual({ ...json, waitMs: 3 });
  expect(json).toEqual({ host: "a", password: "longenough" });
});

test("a refusal names the setting, what was found and what would be right", () => {
  const error = refusal({ host: "a", password: "longenough", waitMs: 12 });
  expect(error.code).toBe("setting.wrong");
  expect(error.context).toEqual({
    driver: "toy",
    setting: "waitMs",
    found: "12",
    expected: "whole number 1 to 9",
  });
});

test("a secret is never repeated", () => {
  const error = refusal({ host: "a", password: "hunter2" });
  expect(JSON.stringify(error.toBody())).not.toContain("hunter2");
  expect(error.context.setting).toBe("password");
});

test("a secret in the wrong place is not repeated either", () => {
  const error = refusal({ host: "a", password: "longenough", passwd: "hunter2" });
  expect([error.context.setting, JSON.stringify(error.toBody()).includes("hunter2")]).toEqual([
    "passwd",
    false,
  ]);
});

test("an unknown setting is refused with the known ones; no settings at all name the first that is missing", () => {
  expect(refusal({ host: "a", password: "longenough", wiatMs: 1 }).message).toContain(
    "known are host, password",
  );
  expect(refusal(undefined).context.setting).toBe("host");
  expect(refusal("text").code).toBe("setting.wrong");
});

test("the table has one row per setting", () => {
  expect(settingsTable(schema).split("\n").at(-1)).toBe(
    "| `waitMs` | Wait (ms) | whole number 1 to 9 | `3` | `2` |",
  );
});
