import { expect, test } from "bun:test";
import type { ConfigDocument, Draft } from "@millrace/contract/api/config";
import { draftedProfile, sendDraft, takeDraft } from "./opened-draft.ts";

const draftOf = (document: ConfigDocument): Draft => ({
  id: "d",
  name: "Press changed",
  document,
  basedOn: 1,
  author: "Ada",
  updatedAt: "2026-11-26T20:00:00.000Z",
  revision: 1,
});
const press = { driver: "modbus", settings: {}, tags: [] };

test("a draft of one kind of machine can be edited on its page, any other cannot", () => {
  expect(draftedProfile(draftOf({ millrace: 1, profiles: { Press: press } }))).toEqual({
    name: "Press",
    content: press,
  });
  for (const document of [
    { millrace: 1, profiles: { Press: press, Pump: press } },
    { millrace: 1, profiles: {} },
    { millrace: 1 },
    { millrace: 1, profiles: { Press: press }, sites: { Works: { kind: "site" } } },
  ] as ConfigDocument[])
    expect(draftedProfile(draftOf(document))).toBeNull();
});

test("a draft is handed over once, to the page of its kind", () => {
  const draft = draftOf({ millrace: 1, profiles: { Press: press } });
  sendDraft("press", draft);
  expect(takeDraft("pump")).toBeNull();
  expect(takeDraft("press")).toBe(draft);
  expect(takeDraft("press")).toBeNull();
});
