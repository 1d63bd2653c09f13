import { expect, test } from "bun:test";
import { totpCodeNow } from "../../../../test/authenticator.ts";
import { adaAt, Browser } from "../../../../test/browser.ts";
import { ADA, testHub } from "../../../../test/hub.ts";
import { codeOf, fromBase32, stepAt } from "./totp.ts";

const CODE = "/api/v1/sign-in/second-factor";

test("S17: after the password alone nothing is open", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const { secret } = await ada.setUpApp();
  const browser = new Browser(hub);
  const answer = await browser.signIn(ADA.email, ADA.password);
  expect(answer).toEqual({ status: 200, body: { status: "secondFactor" } });
  const paths = hub.app.routes.flatMap(({ method, path, hooks }) => {
    const detail = (hooks as { detail?: Record<string, unknown> }).detail ?? {};
    const open = detail["x-permission"] === undefined && detail["x-self"] === undefined;
    return open && !path.startsWith("/api/v1/me") ? [] : [{ method, path: path.replace(/:\w+/g, "1") }];
  });
  expect(paths.length).toBeGreaterThan(80);
  for (const { method, path } of paths) {
    const { status } = await browser.ask(method, path, method === "GET" ? undefined : {});
    expect([method, path, status]).toEqual([method, path, 401]);
  }
  // The code of the step just used to confirm the app is used up, so the next one is asked for.
  const next = codeOf(fromBase32(secret), stepAt(Date.now()) + 1);
  expect(await browser.codeOf("POST", CODE, { code: next })).toBe("ok");
  expect((await browser.ask("GET", "/api/v1/me")).status).toBe(200);
});

test("S17: a code works once, in the browser that gave the password, and guessing ends", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const { secret } = await ada.setUpApp();
  const used = totpCodeNow(secret);
  const browser = new Browser(hub);
  await browser.signIn(ADA.email, ADA.password);
  expect(await browser.codeOf("POST", CODE, { code: used })).toBe("auth.codeWrong");
  const next = codeOf(fromBase32(secret), stepAt(Date.now()) + 1);
  expect(await new Browser(hub).codeOf("POST", CODE, { code: next })).toBe("auth.required");
  const codes = [];
  for (let i = 0; i < 8; i++) codes.push(await browser.codeOf("POST", CODE, { code: `00000${i}` }));
  expect(codes).not.toContain("ok");
  expect(["auth.required", "request.tooMany"]).toContain(codes.at(-1)!);
});

test("a recovery code stands in for the app, once", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const { recoveryCodes } = await ada.setUpApp();
  expect(new Set(recoveryCodes).size).toBe(10);
  const enter = async (code: string) => {
    const browser = new Browser(hub);
    await browser.signIn(ADA.email, ADA.password);
    return await browser.codeOf("POST", CODE, { code });
  };
  const [first = ""] = recoveryCodes;
  expect(await enter(first.toUpperCase().replaceAll("-", " "))).toBe("ok");
  expect(await enter(first)).toBe("auth.codeWrong");
  const { totp } = await ada.must<{ totp: { recoveryCodesLeft: number } }>("GET", "/api/v1/me/factors");
  expect(totp.recoveryCodesLeft).toBe(9);
});

test("who must have a second factor sees only their own account until they have one, and keeps the last", async () => {
  await using hub = await testHub({ mfa: "administrators" });
  const ada = await adaAt(hub);
  expect(await ada.must("GET", "/api/v1/me")).toMatchObject({ mustEnrol: true });
  expect(await ada.codeOf("GET", "/api/v1/gateways")).toBe("auth.mustEnrol");
  await ada.setUpApp();
  expect(await ada.codeOf("GET", "/api/v1/gateways")).toBe("ok");
  expect(await ada.codeOf("DELETE", "/api/v1/me/totp")).toBe("auth.lastFactor");
});

test("the RFC's own codes come out", () => {
  const secret = new TextEncoder().encode("12345678901234567890");
  // RFC 6238, appendix B, the last six of its eight digits.
  for (const [seconds, code] of [
    [59, "287082"],
    [1_111_111_109, "081804"],
    [20_000_000_000, "353130"],
  ] as const)
    expect(codeOf(secret, stepAt(seconds * 1_000))).toBe(code);
});
