import { expect, test } from "bun:test";
import { adaAt, Browser } from "../../../../test/browser.ts";
import { testHub } from "../../../../test/hub.ts";
import { readSignedToken, signedToken } from "./token.ts";

const SECRET = "s".repeat(43);

test("S16: what the database keeps of a session opens nothing, however it is sent", async () => {
  await using hub = await testHub();
  const ada = await adaAt(hub);
  const rows = await hub.database.sql<{ token: string }[]>`SELECT token FROM session`;
  const [kept = ""] = rows.map(({ token }) => token);
  expect([rows.length, kept.length]).toEqual([1, 43]);
  expect(ada.cookie).not.toContain(kept);
  expect((await ada.ask("GET", "/api/v1/me")).status).toBe(200);
  const signature = /session=[^.]+\.([^;]+)/.exec(ada.cookie)?.[1] ?? "";
  expect(signature.length).toBe(43);
  // Even with the hub's secret the hash is not the token.
  for (const value of [kept, `${kept}.`, `${kept}.${signature}`, signedToken(kept, SECRET)]) {
    const thief = new Browser(hub);
    thief.cookies.set("millrace.session", value);
    expect([value, (await thief.ask("GET", "/api/v1/me")).status]).toEqual([value, 401]);
  }
});

test("a token counts with this hub's signature alone", () => {
  const signed = signedToken("token", SECRET);
  expect(readSignedToken(signed, SECRET)).toBe("token");
  const wrong = [
    "",
    ".",
    "token",
    "token.",
    `${signed}x`,
    `${signed}.x`,
    signed.slice(1),
    signed.slice(0, -1),
  ];
  for (const one of [...wrong, signedToken("token", "another")])
    expect([one, readSignedToken(one, SECRET)]).toEqual([one, null]);
});
