import { expect, test } from "bun:test";
import { systemClock } from "@millrace/contract/std/clock";
import { Elysia } from "elysia";
import { ORIGIN, testHub } from "../../test/hub.ts";
import { readSettings } from "../settings.ts";
import { SECURITY_TEXT_PATH, securityTextRoutes } from "./security-text.ts";

test("the contact that is set is told as RFC 9116 wants it", async () => {
  const contact = "mailto:security@plant.example";
  const nowMs = Date.parse("2026-05-01T00:00:00Z");
  const app = new Elysia().use(
    securityTextRoutes({
      contact,
      clock: { ...systemClock, nowMs: () => nowMs },
      publicUrl: () => ORIGIN,
      gatekeeper: { whoIs: async () => null, placeOf: async () => null },
    }),
  );
  const response = await app.handle(new Request(ORIGIN + SECURITY_TEXT_PATH));
  expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
  const fields = new Map(
    (await response.text())
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/: (.*)/, 2) as [string, string]),
  );
  expect(Object.fromEntries(fields)).toEqual({
    Contact: contact,
    Expires: "2026-10-28T00:00:00.000Z",
    Canonical: `${ORIGIN}/.well-known/security.txt`,
    "Preferred-Languages": "en",
  });
});

test("nobody is named without the setting, and the setting takes no line breaks", async () => {
  await using hub = await testHub();
  const response = await hub.ask(SECURITY_TEXT_PATH);
  expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
    404,
    "route.unknown",
  ]);
  for (const wrong of [
    "security@plant.example",
    "mailto:a@b.c\nExpires: never",
    "http://plant.example",
    "https://a b",
  ])
    expect(() => readSettings({ MILLRACE_SECURITY_CONTACT: wrong })).toThrow("MILLRACE_SECURITY_CONTACT");
});
