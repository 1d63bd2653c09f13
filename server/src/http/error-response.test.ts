import { expect, test } from "bun:test";
import { AppError } from "@millrace/contract/error/app-error";
import { Elysia, t } from "elysia";
import { errorResponse } from "./error-response.ts";

const SECRET = "hunter2-hunter2";
const DSN = `postgres://millrace:${SECRET}@db.plant.example/millrace`;
const app = new Elysia()
  .onError(({ error, request }) => errorResponse(error, request))
  .get("/plain", () => {
    throw new Error(`cannot connect to ${DSN}`);
  })
  .get("/caused", () => {
    throw new AppError("database.failed", "inner words", { cause: new Error(DSN), context: { url: DSN } });
  })
  .get("/text", () => {
    throw DSN;
  })
  .get("/shape", () => ({ password: DSN }) as never, { response: t.Object({ name: t.String() }) })
  .get("/slow", () => {
    throw new AppError("request.tooMany", "Wait.", { context: { retryAfterS: 7 } });
  })
  .get("/list", () => "", {
    query: t.Object({
      rows: t.Optional(t.Integer({ minimum: 1 })),
      order: t.Optional(t.Union([t.Literal("up"), t.Literal("down")])),
    }),
  })
  .post("/", () => "", { body: t.Object({ password: t.String({ minLength: 12 }) }) });

test.each(["/plain", "/caused", "/text", "/shape"])(
  "S37: %p: an inner failure leaves only an id behind",
  async (path) => {
    const response = await app.handle(new Request(`http://hub.test${path}`));
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain("inner words");
    expect(JSON.parse(text)).toMatchObject({
      detail: "Something went wrong inside the hub.",
      traceId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      context: {},
    });
  },
);

test.each([SECRET.slice(0, 8), 4711, [[SECRET]], { [SECRET]: 1 }, null])(
  "S38: a password that is wrong as %p is named, not shown",
  async (password) => {
    const body = JSON.stringify({ password });
    const headers = { "content-type": "application/json" };
    const response = await app.handle(new Request("http://hub.test/", { method: "POST", headers, body }));
    expect(response.status).toBe(422);
    const text = await response.text();
    expect(text).not.toMatch(/hunter2|4711/);
    expect(JSON.parse(text).detail).toStartWith("body/password: ");
  },
);

test("who must wait is told how long in the header too", async () => {
  const response = await app.handle(new Request("http://hub.test/slow"));
  expect([response.status, response.headers.get("retry-after")]).toEqual([429, "7"]);
});

test.each([
  ["rows=0", "query/rows: Expected integer to be greater or equal to 1, found a number."],
  ["rows=NaN", "query/rows: Expected a number, found a text."],
  ["order=x", "query/order: Expected one of up, down, found a text."],
])("a query with %p is told which field and what would do", async (query, detail) => {
  const response = await app.handle(new Request(`http://hub.test/list?${query}`));
  expect(response.status).toBe(422);
  expect(((await response.json()) as { detail: string }).detail).toBe(detail);
});
