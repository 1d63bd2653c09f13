import { expect, test } from "bun:test";
import { emailWrong, passwordWrong, tokenOfHash } from "./setup-rules.ts";

test.each([
  ["short", "7 more characters are needed."],
  ["twelve chars", ""],
  ["x".repeat(257), "At most 256 characters."],
])("password %p", (password, words) => {
  expect(passwordWrong(password)).toBe(words);
});
test.each([
  ["a@b.example", true],
  ["a b@c", false],
  ["nobody", false],
])("e-mail %p", (email, right) => {
  expect(emailWrong(email) === "").toBe(right);
});
test.each([
  ["#token=abc-_1", "abc-_1"],
  ["", ""],
  ["#other=1", ""],
])("fragment %p", (hash, token) => {
  expect(tokenOfHash(hash)).toBe(token);
});
