import { expect, test } from "bun:test";
import { ADA, post, setUpAda, testHub } from "../../../../test/hub.ts";

test("S09: on loopback without TLS the cookie keeps all flags but those a browser would drop it for", async () => {
  await using hub = await testHub();
  await setUpAda(hub);
  const { email, password } = ADA;
  const response = await post(hub, "/api/v1/sign-in/password", { email, password });
  const cookies = response.headers.getSetCookie();
  const [pair = "", ...flags] = cookies.find((one) => one.includes("millrace.session="))?.split("; ") ?? [];
  expect(pair).toStartWith("millrace.session=");
  const set = flags.map((flag) => flag.toLowerCase());
  for (const flag of ["httponly", "samesite=lax", "path=/"]) expect(set).toContain(flag);
  expect(set).not.toContain("secure");
});
