import { expect, test } from "bun:test";
import { testHub } from "../../test/hub.ts";
import { encodeCursor } from "./page.ts";

test("a forged cursor is told so, and ends in no failure of the database", async () => {
  await using hub = await testHub();
  for (const path of ["sites", "gateways", "devices", "profiles", "trend-views", "rollouts"]) {
    for (const key of [["\u0000"], ["a\u0000b"], [1, 2], [{}]] as string[][]) {
      const { status } = await hub.call("GET", `/api/v1/${path}?cursor=${encodeCursor(key)}`);
      expect([path, key, status]).toEqual([path, key, 422]);
    }
  }
  const { status } = await hub.call("GET", `/api/v1/rollouts?cursor=${encodeCursor(["no date"])}`);
  expect(status).toBe(422);
});
