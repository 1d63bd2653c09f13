import { expect, test } from "bun:test";
import { frameOf, type Message, WebSocketStream } from "./websocket-stream.ts";

const HEAD = Buffer.from("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
const binary = (...bytes: number[]): Message => ({ binary: true, payload: Uint8Array.from(bytes) });

/** A frame as a client sends it, with a mask that is not zero. */
function maskedFrame(payload: readonly number[]): Buffer {
  const key = [1, 2, 3, 4];
  return Buffer.from([0x82, 0x80 | payload.length, ...key, ...payload.map((byte, i) => byte ^ key[i & 3]!)]);
}

test("messages pass the hook whole, however the bytes are cut", () => {
  const seen: number[][] = [];
  const stream = new WebSocketStream(true, ({ payload }) => {
    seen.push([...payload]);
    return null;
  });
  const sent = Buffer.concat([HEAD, maskedFrame([7, 8, 9]), maskedFrame([1])]);
  const out = Buffer.concat([...sent].map((byte) => stream.feed(Buffer.from([byte]))));
  expect(seen).toEqual([[7, 8, 9], [1]]);
  expect(out.equals(sent)).toBe(true);
});

test("a hook repeats, replaces and swallows messages", () => {
  const stream = new WebSocketStream(false, ({ payload }) =>
    payload[0] === 1 ? [] : [binary(5), binary(...payload)],
  );
  stream.feed(HEAD);
  expect(stream.feed(frameOf(binary(1), false)).length).toBe(0);
  expect(stream.feed(frameOf(binary(2), false))).toEqual(
    Buffer.concat([frameOf(binary(5), false), frameOf(binary(2), false)]),
  );
});

test.each([0, 125, 126, 65_535, 65_536])("a message of %d bytes survives both ways", (length) => {
  const found: number[] = [];
  for (const masked of [true, false]) {
    const stream = new WebSocketStream(masked, ({ payload }) => {
      found.push(payload.length);
      return null;
    });
    stream.feed(HEAD);
    stream.feed(frameOf({ binary: true, payload: new Uint8Array(length) }, masked));
  }
  expect(found).toEqual([length, length]);
});

test("what is no WebSocket passes as it is", () => {
  const stream = new WebSocketStream(true, () => []);
  const plain = Buffer.from("POST /api HTTP/1.1\r\nhost: a\r\n\r\n{}");
  expect(stream.feed(plain).equals(plain)).toBe(true);
});
