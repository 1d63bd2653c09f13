import { expect, test } from "bun:test";
import { parseBody, parseJson, readText } from "./body.ts";

const request = (
  body: string | Uint8Array<ArrayBuffer> | ReadableStream,
  headers: Record<string, string> = {},
) => new Request("http://hub.test/", { method: "POST", body, headers });
const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
};

test.each([
  "",
  "{",
  '{"a":1,}',
  "NaN",
  '{"a":1e999}',
  '{"__proto__":{"isAdmin":true}}',
  '{"a":[{"constructor":{"prototype":{"isAdmin":true}}}]}',
  '{"prototype":1}',
  '{"toString":1}',
  '{"a":{"valueOf":null}}',
  '{"a":"\\ud800"}',
  '{"\\udc00":1}',
  '{"a":"\\u0000"}',
  nested(66),
  nested(100_000),
])("S29, S36: %p is malformed", (text) => {
  expect(codeOf(() => parseJson(text))).toBe("request.malformed");
  expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
});

test("ordinary JSON comes out as it is, also with odd but harmless parts", () => {
  for (const value of [{ a: [1, -0.5, "ä😀", null, true], proto: { b: {} } }, [], "x", 0, null]) {
    expect(parseJson(JSON.stringify(value))).toEqual(value);
  }
  expect(codeOf(() => parseJson(nested(64)))).toBeUndefined();
});

test("S36: a body is cut off at the limit, whether it tells its length, hides it or lies", async () => {
  const limit = 100;
  expect(await readText(request("x".repeat(limit)), limit)).toHaveLength(limit);
  await expect(readText(request("x".repeat(limit + 1)), limit)).rejects.toMatchObject({
    code: "request.tooLarge",
  });
  let pulled = 0;
  const endless = new ReadableStream({
    pull(controller) {
      pulled += 1;
      controller.enqueue(new Uint8Array(60));
    },
  });
  await expect(readText(request(endless), limit)).rejects.toMatchObject({ code: "request.tooLarge" });
  expect(pulled).toBeLessThan(10);
});

test("what is not UTF-8 is refused", async () => {
  const body = new Uint8Array([0x22, 0xff, 0xfe, 0x22]);
  await expect(readText(request(body))).rejects.toMatchObject({ code: "request.malformed" });
});

test.each([
  "text/plain",
  "application/x-www-form-urlencoded",
  "multipart/form-data",
  "",
  "application/jsonp",
])("JSON sent as %p is refused, because a form of another site could send it", async (contentType) => {
  await expect(parseBody(request("{}"), contentType)).rejects.toMatchObject({ code: "request.malformed" });
});

test.each(["application/json", "Application/JSON; charset=utf-8"])(
  "JSON sent as %p is read",
  async (type) => {
    expect(await parseBody(request('{"a":1}'), type)).toEqual({ a: 1 });
  },
);
