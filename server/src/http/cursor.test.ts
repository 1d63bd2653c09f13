import { expect, test } from "bun:test";
import { testHub } from "../../test/hub.ts";
import { encodeCursor } from "./page.ts";

const LISTS: readonly [path: string, length: number][] = [
  ...[
    "sites",
    "profiles",
    "devices",
    "gateways",
    "trend-views",
    "data-quality",
    "config/versions",
    "rollouts",
    "audit",
  ].map((path): [string, number] => [path, 1]),
  ["tags", 2],
  ["annotations", 2],
  ...["events", "logs", "gaps", "quarantine"].map((path): [string, number] => [path, 6]),
];
const PARTS = [
  "\0",
  "\ud800",
  "x",
  "",
  0,
  -1,
  1.5,
  2 ** 31,
  2 ** 53 - 1,
  -(2 ** 53 - 1),
  8.64e15,
  1e300,
  "9999-12-31",
];

test("S28: no cursor that we never gave reaches the database as it is", async () => {
  await using hub = await testHub();
  for (const [path, length] of LISTS)
    for (const part of PARTS) {
      const keys = [
        Array(length).fill(part),
        [0, ...Array(length - 1).fill(part)],
        ["x", ...Array(length - 1).fill(part)],
      ];
      for (const key of keys) {
        const { status } = await hub.call(
          "GET",
          `/api/v1/${path}?cursor=${encodeCursor(key.slice(0, length))}`,
        );
        expect([path, key, status === 200 || status === 422, status]).toEqual([path, key, true, status]);
      }
    }
  for (const cursor of ["e30", "WzFd", "bnVsbA", "W1sxXV0", "x".repeat(5_000)])
    expect((await hub.call("GET", `/api/v1/tags?cursor=${cursor}`)).status).toBe(422);
});

test("S28: an address that names a NUL is refused before anything reads it", async () => {
  await using hub = await testHub();
  for (const path of ["logs?q=%00", "tags?search=a%00b", "sites/%00", "gateways?label=%00"]) {
    const { status, body } = await hub.call("GET", `/api/v1/${path}`);
    expect([path, status, body.code]).toEqual([path, 400, "request.malformed"]);
  }
});
