import { expect, test } from "bun:test";
import { ADA, ORIGIN, setUpAda, testHub } from "../../../test/hub.ts";
import { createAuth } from "./auth.ts";
import { createPasswords } from "./password.ts";

/** The cookie a sign-in sets at a hub that is opened at this address. */
async function cookieAt(publicUrl: string): Promise<string> {
  await using hub = await testHub();
  await setUpAda(hub);
  const auth = createAuth({
    db: hub.database.db,
    passwords: createPasswords(),
    secret: "s".repeat(43),
    publicUrl,
    origins: () => [publicUrl],
  } as Parameters<typeof createAuth>[0]);
  const { email, password } = ADA;
  const response = await auth.handler(
    new Request(`${publicUrl}/api/auth/sign-in/email`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: publicUrl },
      body: JSON.stringify({ email, password }),
    }),
  );
  expect(response.status).toBe(200);
  return response.headers.getSetCookie().find((cookie) => cookie.includes("millrace.session")) ?? "";
}

test("S09: the session cookie is bound to this host, to https and to no script", async () => {
  const [pair = "", ...flags] = (await cookieAt("https://millrace.plant.example")).split("; ");
  expect(pair).toStartWith("__Host-millrace.session=");
  const set = flags.map((flag) => flag.toLowerCase());
  for (const flag of ["secure", "httponly", "samesite=lax", "path=/"]) expect(set).toContain(flag);
  expect(set.some((flag) => flag.startsWith("domain="))).toBe(false);
});

test("S09: on loopback without TLS it keeps all flags but those a browser would drop it for", async () => {
  const [pair = "", ...flags] = (await cookieAt(ORIGIN)).split("; ");
  expect(pair).toStartWith("millrace.session=");
  const set = flags.map((flag) => flag.toLowerCase());
  for (const flag of ["httponly", "samesite=lax", "path=/"]) expect(set).toContain(flag);
  expect(set).not.toContain("secure");
});
