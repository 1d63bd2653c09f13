import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import { testHub } from "../../test/hub.ts";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
const renderMs = 15_000;

test.skipIf(!existsSync(CHROMIUM))(
  "the documentation draws itself from this hub alone and within its content policy",
  async () => {
    await using hub = await testHub();
    hub.app.listen({ hostname: "127.0.0.1", port: 0 });
    const base = `http://127.0.0.1:${hub.app.server?.port}`;
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
    try {
      const page = await browser.newPage();
      const asked: string[] = [];
      const said: string[] = [];
      page.on("request", (request) => asked.push(request.url()));
      page.on("console", (message) => {
        if (message.type() === "error") said.push(message.text());
      });
      page.on("pageerror", (error) => said.push(error.message));
      await page.goto(`${base}/docs`);
      await page.getByText("The hub can serve").first().waitFor({ timeout: renderMs });
      const foreign = asked.filter((url) => !/^(data|blob):/.test(url) && !url.startsWith(`${base}/`));
      expect(foreign).toEqual([]);
      expect(said).toEqual([]);
    } finally {
      await browser.close();
      await hub.app.stop(true);
    }
  },
  2 * renderMs,
);

test("the document names a permission or a reason for every operation", async () => {
  await using hub = await testHub();
  const document = (await (await hub.ask("/docs/json")).json()) as {
    openapi: string;
    paths: Record<string, Record<string, Record<string, unknown>>>;
  };
  expect(document.openapi).toBe("3.1.2");
  expect(Object.keys(document.paths)).toContain("/api/v1/setup/");
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const told = typeof (operation["x-permission"] ?? operation["x-self"] ?? operation["x-open"]);
      expect([method, path, told]).toEqual([method, path, "string"]);
    }
  }
});

test("the document says what to send: every body a route checks is described as JSON", async () => {
  await using hub = await testHub();
  const { paths } = (await (await hub.ask("/docs/json")).json()) as {
    paths: Record<string, Record<string, { requestBody?: { content: Record<string, { schema: object }> } }>>;
  };
  const found = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { requestBody }]) =>
      requestBody === undefined ? [] : [[method, path, Object.keys(requestBody.content)]],
    ),
  );
  expect(found.length).toBeGreaterThan(20);
  expect(found.filter(([, , types]) => String(types) !== "application/json")).toEqual([]);
  expect(JSON.stringify(paths["/api/v1/sites/"]?.post?.requestBody)).toContain('"parentId"');
});
