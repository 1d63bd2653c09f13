import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { createStatic } from "./static.ts";

const SCRIPT = `/* ${"a".repeat(4_000)} */`;
let folder = "";
const ask = (path: string, headers: Record<string, string> = {}) =>
  createStatic(join(folder, "web"))(new Request(`http://hub.test${path}`, { headers }));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-static-"));
  await mkdir(join(folder, "web", "assets"), { recursive: true });
  await Bun.write(join(folder, "web", "index.html"), "<p>the application</p>");
  await Bun.write(join(folder, "web", "assets", "app-1a2b.js"), SCRIPT);
  await Bun.write(join(folder, "canary"), "canary");
  await Bun.write(join(folder, "web-old", "canary"), "canary");
  await symlink(join(folder, "canary"), join(folder, "web", "link"));
  await symlink(folder, join(folder, "web", "up"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("files with a hash in their name may be kept for good, the page must be asked for again", async () => {
  const script = await ask("/assets/app-1a2b.js");
  expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
  expect(script.headers.get("content-type")).toStartWith("text/javascript");
  expect((await ask("/")).headers.get("cache-control")).toBe("no-cache");
});

test("a page only the application knows gets the application, also with dots in it", async () => {
  for (const path of ["/", "/gateways", "/tags/Plant%2FHall", "/devices/v1.2"]) {
    const response = await ask(path);
    expect([path, response.status, await response.text()]).toEqual([path, 200, "<p>the application</p>"]);
  }
});

test("what is missing from the API or the assets is missing, not the application", async () => {
  for (const path of ["/api/v1/nothing", "/assets/gone-1a2b.js", "/metrics/x"]) {
    await expect(ask(path)).rejects.toMatchObject({ code: "route.unknown" });
  }
});

test.each([
  "/%2e%2e%2fcanary",
  "/assets/%2e%2e/%2e%2e/canary",
  "/..%5ccanary",
  "/%00canary",
  "/link",
  "/up/canary",
  "/%2e%2e%2fweb-old/canary",
  "//etc/passwd",
  "/%2fetc%2fpasswd",
  "/%ff",
])("%p never leads out of the folder", async (path) => {
  const text = await ask(path).then(
    (response) => response.text(),
    () => "refused",
  );
  expect(text === "<p>the application</p>" || text === "refused").toBe(true);
});

test("a file goes packed to whoever can unpack it, and not again to whoever has it", async () => {
  const packed = await ask("/assets/app-1a2b.js", { "accept-encoding": "gzip, br" });
  expect(packed.headers.get("content-encoding")).toBe("br");
  const bytes = new Uint8Array(await packed.arrayBuffer());
  expect(bytes.length).toBeLessThan(SCRIPT.length / 2);
  expect(brotliDecompressSync(bytes).toString()).toBe(SCRIPT);
  const plain = await ask("/assets/app-1a2b.js");
  expect(plain.headers.get("content-encoding")).toBeNull();
  expect(await plain.text()).toBe(SCRIPT);
  const etag = packed.headers.get("etag") ?? "";
  expect((await ask("/assets/app-1a2b.js", { "if-none-match": etag })).status).toBe(304);
});

test("without a built application the hub says how to build one", async () => {
  const response = await createStatic(join(folder, "nothing"))(new Request("http://hub.test/"));
  expect(response.status).toBe(503);
  expect(await response.text()).toContain("bun run build");
});
