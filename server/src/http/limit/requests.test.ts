import { expect, test } from "bun:test";
import { LIMITS } from "@millrace/contract/wire/limits";
import { ADA, API_KEY, ORIGIN, post, setUpAda, testHub } from "../../../test/hub.ts";

const json = { "content-type": "application/json", authorization: `Bearer ${API_KEY}` };

test("S22: every route names its permission or why it is open, and refuses strangers", async () => {
  await using hub = await testHub();
  const routes = hub.app.routes.map(({ method, path, hooks }) => ({
    method,
    path,
    detail: (hooks as { detail?: Record<string, unknown> }).detail ?? {},
  }));
  expect(routes.length).toBeGreaterThan(20);
  const guarded = routes.filter(({ detail }) => detail["x-open"] === undefined);
  const open = routes.filter(({ detail }) => detail["x-open"] !== undefined);
  for (const { detail } of open) expect(String(detail["x-open"]).length).toBeGreaterThan(10);
  for (const { method, path } of guarded) {
    const filled = path.replace(":tagNo", "1").replace(/:\w+/g, "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55");
    const bodied = method === "POST" || method === "PUT";
    const response = await hub.ask(filled, {
      method,
      headers: { origin: ORIGIN, ...(bodied ? { "content-type": "application/json" } : {}) },
      ...(bodied ? { body: "{}" } : {}),
    });
    expect([method, path, response.status]).toEqual([method, path, 401]);
  }
});

test("S10, S11: another site cannot make a browser change anything", async () => {
  await using hub = await testHub();
  await setUpAda(hub);
  const signedIn = await post(hub, "/api/v1/sign-in/password", { email: ADA.email, password: ADA.password });
  const cookie = signedIn.headers.get("set-cookie")!.split(";")[0]!;
  const body = JSON.stringify({ name: "Plant", kind: "site", parentId: null });
  const tries: Record<string, string>[] = [
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "http://localhost:8080.evil.example" },
    { "sec-fetch-site": "cross-site" },
    {},
  ];
  for (const extra of tries) {
    const headers = { "content-type": "application/json", cookie, ...extra };
    expect((await hub.ask("/api/v1/sites", { method: "POST", headers, body })).status).toBe(403);
  }
  const plain = { "content-type": "text/plain", cookie, origin: ORIGIN };
  expect(
    (await hub.ask("/api/v1/sites", { method: "POST", headers: plain, body })).status,
  ).toBeGreaterThanOrEqual(400);
  const answer = await hub.ask("/api/v1/setup", { headers: { origin: "https://evil.example" } });
  expect(answer.headers.get("access-control-allow-origin")).toBeNull();
});

test("wrong bodies end in a coded problem that names what was wrong", async () => {
  await using hub = await testHub();
  const send = async (body: string) => {
    const response = await hub.ask("/api/v1/sites", { method: "POST", headers: json, body });
    return { status: response.status, ...((await response.json()) as { code: string; detail: string }) };
  };
  expect(await send('{"name":')).toMatchObject({ status: 400, code: "request.malformed" });
  expect(await send(JSON.stringify({ name: "a", kind: "planet", parentId: null }))).toMatchObject({
    status: 422,
  });
  const big = JSON.stringify({ name: "x".repeat(LIMITS.apiBodyBytesMax) });
  expect(await send(big)).toMatchObject({ status: 413, code: "request.tooLarge" });
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  expect((await send(deep)).status).toBeGreaterThanOrEqual(400);
  const polluted = '{"__proto__":{"isAdmin":true},"name":"a","kind":"site","parentId":null}';
  await send(polluted);
  expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
});

test("S08: all answers carry the headers that keep a page to itself", async () => {
  await using hub = await testHub();
  for (const path of ["/livez", "/api/v1/setup", "/api/v1/nothing", "/api/v1/gateways", "/docs/json", "/"]) {
    const { headers } = await hub.ask(path);
    const csp = headers.get("content-security-policy") ?? "";
    for (const part of ["object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"]) {
      expect([path, csp.includes(part)]).toEqual([path, true]);
    }
    expect([path, /unsafe-inline|unsafe-eval/.test(csp.replace(/style-src[^;]*/, ""))]).toEqual([
      path,
      false,
    ]);
    expect([path, headers.get("x-content-type-options")]).toEqual([path, "nosniff"]);
    expect([path, headers.get("referrer-policy")]).not.toEqual([path, null]);
  }
});

test("S37: what the database says stays in the log", async () => {
  await using hub = await testHub();
  await hub.database.sql`DROP TABLE claim, gateway CASCADE`;
  const { status, body } = await hub.call("GET", "/api/v1/gateways");
  expect(status).toBe(500);
  expect(JSON.stringify(body)).not.toMatch(/relation|select|postgres:\/\//i);
  expect(body).toMatchObject({ code: "database.failed" });
});

test("S30: files outside the screens' folder are out of reach", async () => {
  await using hub = await testHub();
  await Bun.write(`${hub.dataFolder}/web/index.html`, "<p>app</p>");
  await Bun.write(`${hub.dataFolder}/web/assets/a.js`, "1");
  await Bun.write(`${hub.dataFolder}/canary`, "secret canary");
  for (const path of [
    "/../canary",
    "/%2e%2e/canary",
    "/..%2fcanary",
    "/assets/..%2f..%2fcanary",
    "/..\\canary",
    "/%00",
  ]) {
    expect(await (await hub.ask(path)).text()).not.toContain("secret canary");
  }
});

test("health and metrics answer", async () => {
  await using hub = await testHub();
  expect((await hub.ask("/livez")).status).toBe(200);
  expect((await hub.ask("/readyz")).status).toBe(200);
  const { headers } = { headers: { authorization: `Bearer ${API_KEY}` } };
  const text = await (await hub.ask("/metrics", { headers })).text();
  expect(text).toContain("millrace_hub_samples_ingested_total");
});
