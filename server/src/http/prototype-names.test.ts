import { expect, test } from "bun:test";
import { join } from "node:path";
import { API_KEY, testHub } from "../../test/hub.ts";

const NAMES = ["__proto__", "constructor", "prototype", "toString", "__defineGetter__"];
const key = { authorization: `Bearer ${API_KEY}` };

test("S29: such a name in a path, a query, a cookie or of a file finds nothing and changes nothing", async () => {
  await using hub = await testHub();
  await Bun.write(join(hub.dataFolder, "web/index.html"), "<p>app</p>");
  await Bun.write(join(hub.dataFolder, "web/assets/a.js"), "1");
  const before = Object.getOwnPropertyNames(Object.prototype);
  const status = async (path: string, headers: Record<string, string> = key): Promise<number> => {
    const response = await hub.ask(path, { headers });
    await response.text();
    return response.status;
  };
  for (const name of NAMES) {
    expect([name, await status(`/assets/${name}`)]).toEqual([name, 404]);
    expect([name, await status(`/assets/a.js/${name}`)]).toEqual([name, 404]);
    for (const path of ["sites", "gateways", "devices", "profiles", "drafts", "roles", "people"])
      expect([path, name, [404, 422].includes(await status(`/api/v1/${path}/${name}`))]).toEqual([
        path,
        name,
        true,
      ]);
    for (const query of [`search=${name}`, `${name}=1`, `${name}[a]=1`, `a[${name}][b]=1`, `${name}.a=1`])
      expect([query, [200, 422].includes(await status(`/api/v1/tags?${query}`))]).toEqual([query, true]);
    for (const cookie of [`${name}=1`, `millrace.session=${name}`, `millrace.session[${name}]=1; ${name}`])
      expect([cookie, await status("/api/v1/me", { cookie })]).toEqual([cookie, 401]);
    expect([name, await status("/api/v1/me", { authorization: `Bearer ${name}` })]).toEqual([name, 401]);
  }
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
});

test("S29: an imported file names its things so, and they are things or refused, never parts of objects", async () => {
  await using hub = await testHub();
  const send = async (path: string, type: string, body: string, method = "POST") => {
    const headers = { ...key, "content-type": type, "idempotency-key": crypto.randomUUID() };
    const response = await hub.ask(path, { method, headers, body });
    return { status: response.status, text: await response.text() };
  };
  const before = Object.getOwnPropertyNames(Object.prototype);
  for (const name of NAMES) {
    const documents: [string, string, string, string][] = [
      ["PUT", "/api/v1/config", "application/json", `{"millrace":1,"sites":{"${name}":{"kind":"site"}}}`],
      ["PUT", "/api/v1/config", "application/yaml", `millrace: 1\nsites:\n  ${name}: {kind: site}\n`],
      ["POST", "/api/v1/config/import?kind=devices", "text/csv", `path,${name}\r\n${name}/A,1\r\n`],
      ["POST", "/api/v1/samples/import?dryRun=true", "text/csv", `tag,time,value\r\n${name},0,1\r\n`],
    ];
    for (const [method, path, type, body] of documents) {
      const { status, text } = await send(path, type, body, method);
      expect([name, path, status < 500, text]).toEqual([name, path, true, text]);
    }
  }
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
  expect(({} as { kind?: string }).kind).toBeUndefined();
});
