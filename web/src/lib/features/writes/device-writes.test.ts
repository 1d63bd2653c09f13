import { expect, test } from "bun:test";
import type { TagWrite } from "@millrace/contract/api/write";
import { DeviceWriteList } from "./device-writes.ts";

const write = (no: number, more: Partial<TagWrite> = {}) =>
  ({ id: `id-${no}`, selectedAt: `2026-11-26T10:00:0${no}.000Z`, state: "sent", ...more }) as TagWrite;

/** @param pages what the hub answers, by the cursor asked for */
function list(pages: Record<string, { items: TagWrite[]; nextCursor: string | null }>) {
  const asked: string[] = [];
  const call = async ({ path }: { path: string }) => {
    asked.push(path);
    return pages[/cursor=(.*)$/.exec(path)?.[1] ?? ""];
  };
  return { asked, pages, writes: new DeviceWriteList({ call } as never, "a/b") };
}
const ids = ({ writes }: { writes: TagWrite[] }) => writes.map(({ id }) => id);

test("older pages follow the newest, each write once, and what is new comes first without a gap", async () => {
  const it = list({
    "": { items: [write(4), write(3)], nextCursor: "c1" },
    c1: { items: [write(2), write(1)], nextCursor: null },
  });
  expect(await it.writes.refresh()).toMatchObject({ hasOlder: true });
  const older = await it.writes.older();
  expect([ids(older), older.hasOlder]).toEqual([["id-4", "id-3", "id-2", "id-1"], false]);
  // Another one pushed the third out of the newest page; it stays where it was.
  it.pages[""] = { items: [write(5), write(4, { state: "done" })], nextCursor: "c2" };
  const newer = await it.writes.refresh();
  expect([ids(newer), newer.hasOlder]).toEqual([["id-5", "id-4", "id-3", "id-2", "id-1"], false]);
  expect(newer.writes[1]?.state).toBe("done");
  expect(ids(await it.writes.older())).toHaveLength(5);
  expect(it.asked[0]).toBe("/api/v1/devices/a%2Fb/writes");
  expect(it.asked).toHaveLength(3);
  // So much came that nothing of it was known: what was gathered before would hide a gap.
  it.pages[""] = { items: [write(9), write(8)], nextCursor: "c1" };
  const jump = await it.writes.refresh();
  expect([ids(jump), jump.hasOlder]).toEqual([["id-9", "id-8"], true]);
});

test("what the hub tells no more is gone: a choice that lapsed, and one whose result is another now", async () => {
  const it = list({
    "": { items: [write(4), write(3, { state: "selected" }), write(2)], nextCursor: "c1" },
    c1: { items: [write(1)], nextCursor: null },
  });
  await it.writes.refresh();
  await it.writes.older();
  it.pages[""] = { items: [write(4), write(2)], nextCursor: "c1" };
  expect(ids(await it.writes.refresh())).toEqual(["id-4", "id-2", "id-1"]);
  it.pages[""] = { items: [write(4)], nextCursor: null };
  expect(await it.writes.refresh()).toMatchObject({ writes: [{ id: "id-4" }], hasOlder: false });
});
