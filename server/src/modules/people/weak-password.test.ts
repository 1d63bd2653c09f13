import { expect, test } from "bun:test";
import { Browser, PASSWORD } from "../../../test/browser.ts";
import { ADA, ORIGIN, testHub } from "../../../test/hub.ts";

const WEAK = "password1234";

test("a password that is tried first is refused wherever one is chosen, and the way to choose another stays open", async () => {
  await using hub = await testHub();
  const token = (await hub.setup.openLink(ORIGIN))!.split("#token=")[1]!;
  const first = new Browser(hub);
  const own = "AdaBerg12345";
  const named = { token, name: "Ada Berg", email: ADA.email };
  expect(await first.codeOf("POST", "/api/v1/setup", { ...named, password: WEAK })).toBe("password.weak");
  expect(await first.codeOf("POST", "/api/v1/setup", { ...named, password: own })).toBe("password.weak");
  expect(await first.codeOf("POST", "/api/v1/setup", { ...named, password: ADA.password })).toBe("ok");
  const ada = new Browser(hub);
  await ada.signIn(ADA.email, ADA.password);
  const grants = [{ role: "viewer", siteId: null }];
  const invitation = { name: "Grace", email: "grace@plant.example", grants };
  const { link } = await ada.must<{ link: string }>("POST", "/api/v1/invitations", invitation);
  const accept = { token: link.split("#token=")[1]!, password: "grace@plant.example" };
  const grace = new Browser(hub);
  const path = "/api/v1/invitations/accept/password";
  expect(await grace.codeOf("POST", path, accept)).toBe("password.weak");
  expect(await grace.codeOf("POST", path, { ...accept, password: PASSWORD })).toBe("ok");
  const change = { currentPassword: PASSWORD, newPassword: "qwertyuiop12" };
  const refused = await grace.ask("PUT", "/api/v1/me/password", change);
  expect([refused.status, refused.body]).toMatchObject([422, { code: "password.weak" }]);
  expect(JSON.stringify(refused.body)).not.toContain(change.newPassword);
  expect(await new Browser(hub).signIn(invitation.email, PASSWORD)).toMatchObject({ status: 200 });
});
