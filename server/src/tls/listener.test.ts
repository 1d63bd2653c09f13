import { expect, test } from "bun:test";
import { Elysia } from "elysia";
import { ADA, ORIGIN, setUpAda, testHub } from "../../test/hub.ts";
import { factsOf } from "./certificate.ts";
import { HubListener } from "./listener.ts";
import { issueCertificate, makeAuthority } from "./own-authority.ts";

const authority = await makeAuthority([], Date.now());
const NAMES = ["localhost", "127.0.0.1"];
const issue = () => issueCertificate(authority, NAMES, Date.now());
const tls = { ca: authority.cert };

async function openssl(port: number, ...args: string[]): Promise<string> {
  const child = Bun.spawn(
    ["openssl", "s_client", "-connect", `127.0.0.1:${port}`, "-servername", "localhost", ...args],
    { stdin: new Blob([""]), stdout: "pipe", stderr: "pipe" },
  );
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  await child.exited;
  return out + err;
}

const served = async (port: number): Promise<string> =>
  /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/.exec(await openssl(port))?.[0] ?? "";

const app = () =>
  new Elysia()
    .get("/who", ({ request, server }) => server?.requestIP(request)?.address ?? "nobody")
    .ws("/echo", { message: (ws, message) => void ws.send(message) });

async function listening() {
  const first = await issue();
  const listener = new HubListener(app(), { hostname: "127.0.0.1", port: 0 }, first);
  return { listener, first, [Symbol.asyncDispose]: () => listener.stop() };
}

test("TLS 1.1 and older get no connection, 1.2 and 1.3 do", async () => {
  await using hub = await listening();
  const { port } = hub.listener;
  // Without the lowest security level OpenSSL itself would not even try the old ones.
  const old = await openssl(port, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0");
  expect(old).toContain("alert protocol version");
  for (const version of ["1_2", "1_3"])
    expect(await openssl(port, `-tls${version}`)).toContain(`TLSv${version.replace("_", ".")}`);
}, 20_000);

test("another certificate is served from one moment to the next, and nobody is dropped", async () => {
  await using hub = await listening();
  const { port } = hub.listener;
  const socket = new WebSocket(`wss://localhost:${port}/echo`, { tls } as never);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  expect((await served(port)).trim()).toBe(
    hub.first.cert.split("-----END")[0]!.concat("-----END CERTIFICATE-----"),
  );
  const second = await issue();
  hub.listener.swap(second);
  expect(hub.listener.port).toBe(port);
  expect(await served(port)).toBe(second.cert.split("-----END")[0]!.concat("-----END CERTIFICATE-----"));
  const echoed = new Promise((resolve) => {
    socket.onmessage = ({ data }) => resolve(data);
    socket.onclose = ({ code }) => resolve(`closed ${code}`);
  });
  socket.send("still there");
  expect(await echoed).toBe("still there");
  const who = await fetch(`https://localhost:${port}/who`, { tls });
  expect(await who.text()).toBe("127.0.0.1");
  socket.close();
}, 20_000);

test("a pair that cannot be served leaves the old one in place", async () => {
  await using hub = await listening();
  const { port } = hub.listener;
  expect(() => hub.listener.swap({ cert: "no certificate", key: "no key" })).toThrow();
  expect((await fetch(`https://localhost:${port}/who`, { tls })).status).toBe(200);
}, 20_000);

test("over TLS every kind of route is found, those with a rest of any length too", async () => {
  const authorities = [authority.cert];
  const facts = factsOf((await issueCertificate(authority, ["localhost"], Date.now())).cert);
  await using hub = await testHub({ keeper: { kind: "own", facts, authorities, findings: () => [] } });
  await setUpAda(hub);
  await Bun.write(`${hub.dataFolder}/web/index.html`, "<p>app</p>");
  const ask = (host: string, path: string, init?: RequestInit) =>
    hub.app.handle(new Request(`https://${host}${path}`, init));
  for (const host of ["hub", "hub.example:8443"]) {
    expect(await (await ask(host, "/trust/hub.json")).json()).toHaveProperty("trust.hubId");
    expect(await (await ask(host, "/tags")).text()).toBe("<p>app</p>");
    const signIn = await ask(host, "/api/v1/sign-in/password", {
      method: "POST",
      headers: { "content-type": "application/json", origin: ORIGIN },
      body: JSON.stringify({ email: ADA.email, password: ADA.password }),
    });
    expect([host, signIn.status]).toEqual([host, 200]);
  }
});
