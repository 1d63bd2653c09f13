import { expect, test } from "bun:test";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { LIVE_PATH } from "@millrace/contract/wire/live";
import { ROUTE } from "@millrace/contract/wire/route";
import { ADA, API_KEY, ORIGIN, post, setUpAda, type TestHub, testHub } from "../../test/hub.ts";
import { RawSocket } from "../../test/raw-socket.ts";

const key = { authorization: `Bearer ${API_KEY}` };
const json = { ...key, "content-type": "application/json" };
const signIn = (hub: TestHub) =>
  post(hub, "/api/v1/sign-in/password", { email: ADA.email, password: ADA.password });

test("S08: every answer, refused sockets and files too, keeps the page to itself", async () => {
  await using hub = await testHub();
  await Bun.write(`${hub.dataFolder}/web/index.html`, "<p>app</p>");
  await Bun.write(`${hub.dataFolder}/web/assets/a.js`, "1");
  const port = hub.listen();
  const base = `http://127.0.0.1:${port}`;
  await hub.database.sql`DROP TABLE device CASCADE`;
  const asked: [string, number, RequestInit?][] = [
    ["/", 200],
    ["/assets/a.js", 200],
    ["/assets/none.js", 404],
    ["/livez", 200],
    ["/api/v1/setup", 200],
    ["/api/v1/nothing", 404],
    ["/api/v1/gateways", 401],
    ["/api/v1/devices", 500, { headers: key }],
    ["/api/v1/sites", 400, { method: "POST", headers: json, body: "{" }],
    ["/docs/json", 200],
    ["/api/auth/sign-up/email", 404, { method: "POST", headers: { origin: ORIGIN } }],
    [LIVE_PATH, 401],
    [LIVE_PATH, 400, { headers: key }],
    [ROUTE.uplink, 403, { headers: { origin: "https://evil.example" } }],
    ["/api/v1/sites", 403, { method: "POST", headers: { origin: "https://evil.example" } }],
  ];
  for (const [path, status, init] of asked) {
    const response = await fetch(base + path, init);
    await response.text();
    const csp = response.headers.get("content-security-policy") ?? "";
    const found = {
      status: response.status,
      csp: ["object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"].every((part) =>
        csp.includes(part),
      ),
      inline: /unsafe-(inline|eval|hashes)|nonce-|\*|https?:/.test(csp),
      nosniff: response.headers.get("x-content-type-options"),
      referrer: response.headers.get("referrer-policy"),
    };
    const wanted = { status, csp: true, inline: false, nosniff: "nosniff", referrer: "same-origin" };
    expect([path, found]).toEqual([path, wanted]);
  }
});

test("S09: the session cookie is held to this host, to https and away from scripts", async () => {
  await using hub = await testHub({ https: true });
  const link = await hub.setup.openLink(ORIGIN);
  const secure = (path: string, body: object) =>
    hub.ask(path, {
      method: "POST",
      headers: { "content-type": "application/json", origin: ORIGIN.replace("http:", "https:") },
      body: JSON.stringify(body),
    });
  await secure("/api/v1/setup", { token: link!.split("#token=")[1]!, ...ADA });
  const response = await secure("/api/v1/sign-in/password", { email: ADA.email, password: ADA.password });
  const cookies = response.headers.getSetCookie();
  expect(cookies.length).toBeGreaterThan(0);
  for (const cookie of cookies) {
    const flags = cookie.split(";").map((part) => part.trim().toLowerCase());
    expect(flags[0]).toStartWith("__host-millrace.");
    expect(flags).toContain("secure");
    expect(flags).toContain("httponly");
    expect(flags).toContain("path=/");
    expect(flags.some((flag) => flag === "samesite=lax" || flag === "samesite=strict")).toBe(true);
    expect(flags.some((flag) => flag.startsWith("domain"))).toBe(false);
  }
});

test("S07: over TLS every answer, refusals and errors too, tells browsers to insist on it; plain http never does", async () => {
  const hsts = async (hub: TestHub) => {
    const asked: [string, RequestInit?][] = [
      ["/livez"],
      ["/api/v1/gateways"],
      ["/api/v1/nothing"],
      ["/api/v1/sites", { method: "POST", headers: json, body: "{" }],
      ["/trust"],
    ];
    return await Promise.all(
      asked.map(async ([path, init]) => (await hub.ask(path, init)).headers.get("strict-transport-security")),
    );
  };
  await using secure = await testHub({ https: true });
  const year = /^max-age=31536000$/;
  for (const said of await hsts(secure)) expect(said).toMatch(year);
  await using plain = await testHub();
  expect(await hsts(plain)).toEqual([null, null, null, null, null]);
});

test("S10: no form of another site changes anything, and no GET does", async () => {
  await using hub = await testHub();
  await setUpAda(hub);
  const cookie = (await signIn(hub)).headers.get("set-cookie")!.split(";")[0]!;
  const body = JSON.stringify({ name: "Plant", kind: "site", parentId: null });
  const forms = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""];
  for (const type of forms) {
    const send = (origin: string) =>
      hub.ask("/api/v1/sites", {
        method: "POST",
        headers: { ...(type === "" ? {} : { "content-type": type }), cookie, origin },
        body,
      });
    expect([type, (await send("https://evil.example")).status]).toEqual([type, 403]);
    expect([type, (await send(ORIGIN)).status]).toEqual([type, 400]);
  }
  // Refusals are noted too, a moment after their answer.
  const count = async () => {
    const rows = await hub.database
      .sql`SELECT count(*)::int AS n FROM audit WHERE action NOT LIKE 'access.%'`;
    return Number(rows[0].n);
  };
  const before = await count();
  const gets = hub.app.routes.filter(({ method }) => method === "GET").map(({ path }) => path);
  for (const path of gets) {
    if (path === LIVE_PATH || path === ROUTE.uplink) continue;
    const filled = path.replace(":tagNo", "1").replace(/:\w+/g, "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55");
    const response = await hub.ask(filled, { headers: key });
    await response.body?.cancel();
  }
  expect(gets.length).toBeGreaterThan(30);
  expect(await count()).toBe(before);
});

test("S11: no origin is ever let read an answer", async () => {
  await using hub = await testHub();
  for (const origin of [
    "null",
    "https://evil.example",
    `${ORIGIN}.evil.example`,
    `https://evil.example/${ORIGIN}`,
  ])
    for (const method of ["GET", "OPTIONS", "POST"]) {
      const { headers } = await hub.ask("/api/v1/gateways", {
        method,
        headers: { ...key, origin, "access-control-request-method": "PUT" },
      });
      expect(headers.get("access-control-allow-origin")).toBeNull();
      expect(headers.get("access-control-allow-credentials")).toBeNull();
    }
});

test("S13: a spray of sign-ins from one network is one bucket, however its addresses are written", async () => {
  await using hub = await testHub({ trustedProxies: "127.0.0.1" });
  const guess = async (port: number, i: number, forwarded: string) =>
    await fetch(`http://127.0.0.1:${port}/api/v1/sign-in/password`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: ORIGIN, "x-forwarded-for": forwarded },
      body: JSON.stringify({ email: `a${i}@plant.example`, password: "x".repeat(20) }),
    });
  const spellings = ["2001:db8::", "2001:DB8:0:0:0:0:0:", "2001:0db8:0000:0000:0:0:0:"];
  const behind = hub.listen();
  let i = 0;
  for (; i < 31; i++) await guess(behind, i, `${spellings[i % 3]}${i.toString(16)}`);
  expect((await guess(behind, ++i, "2001:db8:0:0:ffff::1")).status).toBe(429);
  expect((await guess(behind, ++i, "2001:db8:0:1::1")).status).toBe(401);
});

test("S13: requests are limited by address and by account, with the time to wait", async () => {
  await using hub = await testHub({ trustedProxies: "127.0.0.1", addressPer10S: 40, accountPer10S: 20 });
  const base = `http://127.0.0.1:${hub.listen()}`;
  const ask = async (path: string, headers: Record<string, string>) => {
    const response = await fetch(base + path, { headers });
    await response.text();
    return response;
  };
  const statuses = async (times: number, path: string, headers: Record<string, string>) => {
    const found: number[] = [];
    for (let i = 0; i < times; i++) found.push((await ask(path, headers)).status);
    return found.filter((status) => status === 429).length;
  };
  expect(await statuses(60, "/api/v1/setup", { "x-forwarded-for": "203.0.113.1" })).toBeGreaterThanOrEqual(
    10,
  );
  const told = await ask("/api/v1/setup", { "x-forwarded-for": "203.0.113.1" });
  expect([told.status, Number(told.headers.get("retry-after"))]).toEqual([429, 1]);
  expect((await ask("/livez", { "x-forwarded-for": "203.0.113.1" })).status).toBe(200);
  expect(await statuses(5, "/api/v1/setup", { "x-forwarded-for": "203.0.113.2" })).toBe(0);
  let refused = 0;
  for (let i = 0; i < 30; i++)
    refused +=
      (await ask("/api/v1/me", { ...key, "x-forwarded-for": `203.0.114.${i}` })).status === 429 ? 1 : 0;
  expect(refused).toBeGreaterThanOrEqual(5);
});

test("S13: without a proxy in the settings a forged header gains nothing", async () => {
  await using hub = await testHub({ addressPer10S: 40 });
  const base = `http://127.0.0.1:${hub.listen()}`;
  let refused = 0;
  for (let i = 0; i < 60; i++) {
    const headers = {
      "x-forwarded-for": `203.0.113.${i}`,
      "x-real-ip": `203.0.113.${i}`,
      forwarded: `for=203.0.113.${i}`,
    };
    const response = await fetch(`${base}/api/v1/setup`, { headers });
    await response.text();
    refused += response.status === 429 ? 1 : 0;
  }
  expect(refused).toBeGreaterThanOrEqual(10);
});

test("S28: SQL in what is filtered, sorted and searched for is a text or refused", async () => {
  await using hub = await testHub();
  const tables = async () =>
    Number((await hub.database.sql`SELECT count(*)::int AS n FROM information_schema.tables`)[0].n);
  const before = await tables();
  const bad = [
    "'; DROP TABLE tag; --",
    "1) OR (1=1",
    '"name"',
    "name; SELECT pg_sleep(5)",
    "$1",
    "\\'",
    "%",
    "a::int",
  ];
  const queries = [
    "/tags?search=",
    "/tags?sort=",
    "/audit?who=",
    "/audit?action=",
    "/events?code=",
    "/gateways?cursor=",
    "/tags?cursor=",
    "/logs?search=",
    "/samples?tags=",
  ];
  for (const query of queries)
    for (const text of bad) {
      const { status } = await hub.call("GET", `/api/v1${query}${encodeURIComponent(text)}`);
      expect([query, text, [200, 404, 422].includes(status), status]).toEqual([query, text, true, status]);
    }
  expect(await tables()).toBe(before);
});

test("S29: names that reach prototypes get nowhere, wherever they come", async () => {
  await using hub = await testHub();
  const send = (
    body: string,
    headers: Record<string, string> = json,
    path = "/api/v1/sites",
    method = "POST",
  ) => hub.ask(path, { method, headers, body });
  for (const name of ["__proto__", "constructor", "prototype"]) {
    expect((await send(`{"${name}":{"isAdmin":true},"name":"a","kind":"site","parentId":null}`)).status).toBe(
      400,
    );
    expect((await send(`{"name":"a","kind":"site","parentId":null,"x":[{"${name}":1}]}`)).status).toBe(400);
    const query = await hub.ask(`/api/v1/tags?${name}=1&${name}[isAdmin]=1&${name}.isAdmin=1`, {
      headers: key,
    });
    expect([200, 422]).toContain(query.status);
    const cookie = await hub.ask("/api/v1/me", {
      headers: { cookie: `${name}=1; millrace.session=${name}` },
    });
    expect(cookie.status).toBe(401);
    const yaml = { ...key, "content-type": "application/yaml" };
    expect((await send(`${name}: {isAdmin: true}`, yaml, "/api/v1/config", "PUT")).status).toBe(400);
    const csv = { ...key, "content-type": "text/csv" };
    const sheet = await send(`${name},name\r\n1,a\r\n`, csv, "/api/v1/config/import?kind=tags&profile=P");
    expect([sheet.status >= 400, sheet.status < 500]).toEqual([true, true]);
    const samples = { ...csv, "idempotency-key": name };
    const rows = await send(
      `tag,time,value,${name}\r\n1,0,1,2\r\n`,
      samples,
      "/api/v1/samples/import?dryRun=true",
    );
    expect(rows.status).toBe(200);
    const lines = { ...samples, "content-type": "application/x-ndjson" };
    const line = await send(
      `{"${name}":{"isAdmin":true},"tag":1,"time":0,"value":1}\n`,
      lines,
      "/api/v1/samples/import?dryRun=true",
    );
    expect(line.status).toBe(200);
  }
  expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
});

test("S30: no path leads out of the folder of the screens", async () => {
  await using hub = await testHub();
  await Bun.write(join(hub.dataFolder, "web/index.html"), "<p>app</p>");
  await Bun.write(join(hub.dataFolder, "web/assets/a.js"), "1");
  await Bun.write(join(hub.dataFolder, "canary"), "secret canary");
  await symlink(join(hub.dataFolder, "canary"), join(hub.dataFolder, "web/link"));
  const port = hub.listen();
  const paths = [
    "/../canary",
    "/%2e%2e/canary",
    "/%2e%2e%2fcanary",
    "/..%5ccanary",
    "/assets/..\\..\\canary",
    "/%00/../canary",
    "/link",
    `/${hub.dataFolder}/canary`,
    "/%252e%252e/canary",
    "/assets/%c0%ae%c0%ae/canary",
    "//canary",
    "/etc/passwd",
  ];
  for (const path of paths) {
    using socket = new RawSocket(port);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost:8080\r\nConnection: close\r\n\r\n`);
    await socket.until(() => socket.closed, `an answer to ${path}`);
    const text = socket.heard.toString();
    expect([path, text.includes("secret canary"), text.includes("root:")]).toEqual([path, false, false]);
    expect([path, text.startsWith("HTTP/1.1 5")]).toEqual([path, false]);
  }
});

test("S36: JSON that another program would read in another way is refused", async () => {
  await using hub = await testHub();
  const send = async (body: string) =>
    (await hub.ask("/api/v1/sites", { method: "POST", headers: json, body })).status;
  const site = (extra: string) => `{"name":"a","kind":"site","parentId":null${extra}}`;
  const bad = [
    `${"[".repeat(100_000)}${"]".repeat(100_000)}`,
    `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`,
    site(',"name":"b"'),
    site(',"n\\u0061me":"b"'),
    site(',"x":[{"a":1,"a":1}]'),
    site(',"x":1e999'),
    site(',"x":-1e999'),
    site(',"x":-0'),
    site(',"x":"\\ud800"'),
    site(',"x":"\\u0000"'),
  ];
  for (const body of bad) expect([body.slice(0, 80), await send(body)]).toEqual([body.slice(0, 80), 400]);
  expect(await send(site(`,"x":"${"y".repeat(1024 * 1024)}"`))).toBe(413);
  expect(await send(site(',"x":{"a:b":"\\"c\\":1","d":[{"a":1},{"a":1}]}'))).toBeLessThan(300);
});

test("S37: what went wrong inside stays in the log, over a real line as well", async () => {
  await using hub = await testHub();
  const port = hub.listen();
  await hub.database.sql`DROP TABLE profile CASCADE`;
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/profiles`, { headers: key });
  const text = await response.text();
  expect(response.status).toBe(500);
  expect(text).not.toMatch(/relation|select|postgres|profile"|\.ts|\bat \//i);
  expect(JSON.parse(text)).toMatchObject({ code: "database.failed", context: {} });
  using socket = new RawSocket(port);
  socket.write("GET http://[::bad HTTP/1.1\r\nHost: \x01\r\n\r\n");
  await socket.until(() => socket.closed || socket.heard.length > 0, "an answer to rubbish");
  expect(socket.heard.toString()).not.toMatch(/node_modules|\.ts|stack/i);
});

test("S20: passwords of a megabyte are refused unread, and the right one still opens", async () => {
  await using hub = await testHub();
  await setUpAda(hub);
  const password = "x".repeat(1_000_000);
  const answers = await Promise.all(
    Array.from({ length: 200 }, () => post(hub, "/api/v1/sign-in/password", { email: ADA.email, password })),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([413]));
  const long = await post(hub, "/api/v1/sign-in/password", { email: ADA.email, password: "x".repeat(257) });
  expect(long.status).toBe(422);
  expect((await signIn(hub)).status).toBe(200);
});
