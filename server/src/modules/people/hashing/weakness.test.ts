import { expect, test } from "bun:test";
import { weaknessOf } from "./weakness.ts";

const ABOUT = ["Ada Lovelace", "ada@plant.example", "millrace"];

test("what a stranger tries first is told by its reason", () => {
  const found = (password: string) => weaknessOf(password, ABOUT);
  expect(found("password1234")).toBe("common");
  expect(found("qwertyuiop12")).toBe("common");
  expect(found("P@ssw0rd1234")).toBe("common");
  expect(found("aaaaaaaaaaaa")).toBe("repeats");
  expect(found("letmeinletmein")).toBe("repeats");
  expect(found("millrace2026")).toBe("about");
  expect(found("AdaLovelace1")).toBe("about");
  expect(weaknessOf("AdaLovelace1", [])).toBeNull();
});

test("words that have nothing to do with each other are taken, of any language and without odd signs", () => {
  for (const password of [
    "a long plant password",
    "kaffee regen treppe",
    "xK9mQ2vL7pR4",
    "зелёный чайник поёт",
  ])
    expect([password, weaknessOf(password, ABOUT)]).toEqual([password, null]);
});

test("a password of any length is judged by its first 64 characters", () => {
  expect(weaknessOf(`${"a".repeat(64)}xK9mQ2vL7pR4`, ABOUT)).toBe("repeats");
  expect(weaknessOf("xK9mQ2vL7pR4 and so on ".repeat(11), ABOUT)).toBeNull();
});
