import { expect, test } from "bun:test";
import { EXAMPLE_EVENT } from "../../test/example-frames.ts";
import { decodeEvents, encodeEvents } from "./event.ts";

const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

test("events come back as they went in, and a code of a newer gateway is kept", () => {
  const events = [EXAMPLE_EVENT, { ...EXAMPLE_EVENT, code: "rocket.launched", data: {} }];
  expect(decodeEvents(encodeEvents(events))).toEqual(events);
});

test.each([
  ["no JSON", new Uint8Array([0xff, 0x00])],
  ["no events", text({ events: [] })],
  ["too many", text({ events: Array(65).fill(EXAMPLE_EVENT) })],
  ["a code that is no code", text({ events: [{ ...EXAMPLE_EVENT, code: "DROP TABLE" }] })],
  ["an object as a fact", text({ events: [{ ...EXAMPLE_EVENT, data: { deep: { er: 1 } } }] })],
  ["too large a body", new Uint8Array(70_000)],
])("refuses %s by name", (_, body) => {
  expect(() => decodeEvents(body)).toThrow(expect.objectContaining({ code: "frame.garbled" }));
});
