import { expect, test } from "bun:test";
import { InterestBook } from "./interest.ts";

test("the union changes only when a tag comes or goes for everybody", () => {
  const book = new InterestBook();
  const list = Symbol("list");
  const detail = Symbol("detail");
  expect(book.set(list, [3, 1, 2])).toBe(true);
  expect(book.set(list, [1, 2, 3])).toBe(false);
  expect(book.set(detail, [2])).toBe(false);
  expect(book.set(list, [1])).toBe(true);
  expect(book.union()).toEqual([1, 2]);
  expect(book.set(detail, [])).toBe(true);
  expect(book.union()).toEqual([1]);
});
