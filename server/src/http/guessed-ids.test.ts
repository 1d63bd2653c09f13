import { expect, test } from "bun:test";
import { testHub } from "../../test/hub.ts";

/** Ids nobody gave: random ones, neighbours, and what is no id at all. */
const GUESSES = [
  "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55",
  "00000000-0000-0000-0000-000000000000",
  "1",
  "admin",
];

test("S24: whatever is kept under an id answers a guess with 404 or a refusal of its form, and tells nothing", async () => {
  await using hub = await testHub();
  const routes = hub.app.routes.filter(
    ({ method, path, hooks }) =>
      method === "GET" && path.includes("/:") && (hooks as { detail?: object }).detail !== undefined,
  );
  expect(routes.length).toBeGreaterThan(8);
  const odd: unknown[] = [];
  for (const { path } of routes)
    for (const guess of GUESSES) {
      const { status, body } = await hub.call("GET", path.replace(/:\w+/g, guess));
      const names = Object.keys(body ?? {}).sort();
      if (status !== 404 && status !== 422) odd.push([path, guess, status]);
      else if (!names.includes("code") || names.includes("items")) odd.push([path, guess, names]);
    }
  expect(odd).toEqual([]);
});
