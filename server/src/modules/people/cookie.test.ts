import { expect, test } from "bun:test";
import { ADA, post, setUpAda, testHub } from "../../../test/hub.ts";

/** The cookie a sign-in sets at a hub people open by https, or by http on loopback. */
async function cookieOf(https: boolean): Promise<string> {
  await using hub = await testHub({ https });
  await setUpAda(hub);
  const { email, password } = ADA;
  const response = await post(hub, "/api/v1/sign-in/password", { email, password });
  expect(response.status).toBe(200);
  return response.headers.getSetCookie().find((cookie) => cookie.includes("millrace.session=")) ?? "";
}

test("S09: the session cookie is bound to this host, to https and to no script", async () => {
  const [pair = "", ...flags] = (await cookieOf(true)).split("; ");
  expect(pair).toStartWith("__Host-millrace.session=");
  const set = flags.map((flag) => flag.toLowerCase());
  for (const flag of ["secure", "httponly", "samesite=lax", "path=/"]) expect(set).toContain(flag);
  expect(set.some((flag) => flag.startsWith("domain="))).toBe(false);
});

test("S09: on loopback without TLS it keeps all flags but those a browser would drop it for", async () => {
  const [pair = "", ...flags] = (await cookieOf(false)).split("; ");
  expect(pair).toStartWith("millrace.session=");
  const set = flags.map((flag) => flag.toLowerCase());
  for (const flag of ["httponly", "samesite=lax", "path=/"]) expect(set).toContain(flag);
  expect(set).not.toContain("secure");
});
