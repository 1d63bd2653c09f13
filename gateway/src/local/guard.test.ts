import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asAppError } from "@millrace/contract/error/app-error";
import { systemClock } from "@millrace/contract/std/clock";
import { localRig, OWN_PIN } from "../../test/local-rig.ts";
import { readSettings } from "../settings.ts";
import { isOwnMachine } from "./guard.ts";
import { listenAddress, readTls } from "./listen.ts";

/** `security.md` S45: where a request comes from, over real sockets. */

const TOKEN = "0123456789abcdef0123456789abcdef";

test("S45: a foreign host name is answered with 421, the names of the settings are not", async () => {
  await using rig = await localRig({ env: { MILLRACE_LOCAL_NAMES: "gw-42.local" } });
  for (const [host, status] of [
    ["evil.example", 421],
    ["localhost.evil.example", 421],
    ["127.0.0.1.nip.io:80", 421],
    ["gw-42.local:8081", 200],
    ["[::1]:8081", 200],
  ] as const)
    expect((await rig.visitor().get("/livez", { host })).status).toBe(status);
});

test("S45: a form of another site is answered with 403, even from somebody who is signed in, and told to the hub", async () => {
  await using rig = await localRig();
  const ada = await rig.inside();
  const own = new URL(rig.local.url).origin;
  const foreign: Record<string, string>[] = [
    { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
    { origin: "http://localhost:8080", "sec-fetch-site": "same-site" },
    { origin: "null", "sec-fetch-site": "same-origin" },
    { origin: own, "sec-fetch-site": "none" },
    { origin: own.replace(/:\d+$/, ":1"), "sec-fetch-site": "same-origin" },
  ];
  for (const headers of foreign) expect((await ada.post("/service/begin", {}, headers)).status).toBe(403);
  expect(
    (await fetch(`${rig.local.url}work/begin`, { method: "POST", headers: { cookie: ada.cookie } })).status,
  ).toBe(403);
  expect((await rig.visitor().post("/sign-in", { pin: OWN_PIN, name: "x" }, foreign[0])).status).toBe(403);
  expect((await ada.post("/service/begin", { token: "guessed" })).status).toBe(403);
  expect(rig.local.commissioning.armedUntilMs()).toBeNull();
  const told = rig.events.filter(({ data }) => data.reason === "crossSite");
  expect(told).toHaveLength(foreign.length + 3);
  expect((await ada.post("/service/begin")).status).toBe(303);
  expect(rig.local.commissioning.armedUntilMs()).not.toBeNull();
});

test("S45: bodies are small forms, methods are three, and every answer has its headers", async () => {
  await using rig = await localRig();
  const own = { origin: new URL(rig.local.url).origin };
  const post = (body: string, type: string) =>
    fetch(`${rig.local.url}sign-in`, { method: "POST", headers: { ...own, "content-type": type }, body });
  expect((await post("x".repeat(5_000), "application/x-www-form-urlencoded")).status).toBe(413);
  expect((await post('{"pin":"1"}', "application/json")).status).toBe(400);
  expect((await fetch(rig.local.url, { method: "DELETE" })).status).toBe(405);
  for (const path of ["/", "/livez", "/api/v1/status", "/style.css"]) {
    const { headers } = await rig.visitor().get(path);
    expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("cache-control")).toBe("no-store");
  }
});

test("S45: whoever trickles a request is hung up on, and others are answered meanwhile", async () => {
  await using rig = await localRig({ idleS: 1 });
  const port = Number(new URL(rig.local.url).port);
  let closed = 0;
  const opened = Array.from({ length: 50 }, () =>
    Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        open: (socket) =>
          void socket.write("POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000\r\n\r\np"),
        data: () => undefined,
        close: () => {
          closed++;
        },
      },
    }),
  );
  await Promise.all(opened);
  expect((await rig.visitor().get("/livez")).status).toBe(200);
  for (let tries = 0; tries < 300 && closed < 50; tries++) await systemClock.sleep(100);
  expect(closed).toBe(50);
}, 40_000);

test("S45: figures are read on this machine or with the token; the pages are not", async () => {
  await using rig = await localRig({ env: { MILLRACE_LOCAL_TOKEN: TOKEN } });
  const program = rig.visitor({ authorization: `Bearer ${TOKEN}` });
  expect((await program.get("/api/v1/status")).status).toBe(200);
  expect((await program.get("/tags")).status).toBe(401);
  expect((await rig.visitor({ authorization: `Bearer ${TOKEN}x` }).get("/api/v1/status")).status).toBe(401);
  expect(await rig.visitor().text("/metrics")).toContain("millrace_gateway_outbox_durable 1");
  const proxied = rig.visitor({ "x-forwarded-for": "203.0.113.9" });
  expect((await proxied.get("/metrics")).status).toBe(401);
  expect(isOwnMachine(new Headers(), "::ffff:127.0.0.1")).toBe(true);
  expect(isOwnMachine(new Headers(), "192.168.0.7")).toBe(false);
});

const messageOf = async (run: () => unknown): Promise<string> => {
  try {
    await run();
    return "";
  } catch (thrown) {
    return asAppError(thrown).message;
  }
};

for (const [host, right] of [
  ["127.0.0.1", true],
  ["192.168.0.5", true],
  ["169.254.1.1", true],
  ["::1", true],
  ["[fd00::1]", true],
  ["fe80::1%eth0", true],
  ["::ffff:10.0.0.1", true],
  ["0.0.0.0", false],
  ["::", false],
  ["203.0.113.9", false],
  ["172.32.0.1", false],
  ["100.64.0.1", false],
  ["2001:db8::1", false],
  ["[2a00::1]", false],
  ["::ffff:203.0.113.9", false],
] as const)
  test(`S45: ${right ? "may" : "does not"} listen at ${host}`, async () => {
    const wrong = await messageOf(() => readSettings({ MILLRACE_LOCAL_HOST: host }));
    if (right) expect(wrong).toBe("");
    else expect(wrong).toStartWith("MILLRACE_LOCAL_HOST: ");
    expect(
      await messageOf(() => readSettings({ MILLRACE_LOCAL_HOST: host, MILLRACE_LOCAL_ALLOW_PUBLIC: "1" })),
    ).toBe("");
  });

test("S45: a name is judged by what it means, and there is no listener at any other address", async () => {
  expect(await listenAddress("localhost", false)).toMatch(/^(127\.0\.0\.1|::1)$/);
  expect(await messageOf(() => listenAddress("no-such-name.invalid", false))).toContain(
    "MILLRACE_LOCAL_HOST",
  );
  await using rig = await localRig();
  const { port } = new URL(rig.local.url);
  const elsewhere = ["127.0.0.2", "[::1]"].map((host) =>
    fetch(`http://${host}:${port}/livez`).then(
      ({ status }) => status,
      () => "no listener",
    ),
  );
  expect(await Promise.all(elsewhere)).toEqual(["no listener", "no listener"]);
});

test("S45: with a certificate the page speaks TLS and its cookie stays there; a half of one is refused", async () => {
  const folder = await mkdtemp(join(tmpdir(), "millrace-tls-"));
  await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const made = Bun.spawnSync(
    `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=gw -keyout ${key} -out ${cert}`.split(
      " ",
    ),
  );
  expect(made.exitCode).toBe(0);
  const env = { MILLRACE_LOCAL_TLS_CERT_FILE: cert, MILLRACE_LOCAL_TLS_KEY_FILE: key };
  await using rig = await localRig({ env });
  expect(rig.local.url).toStartWith("https://");
  const ada = await rig.inside();
  expect(ada.cookie).toStartWith("__Host-millrace_local=");
  expect(await ada.text("/")).toContain("Press");
  expect(await messageOf(() => fetch(rig.local.url.replace("https", "http")))).not.toBe("");
  const half = await messageOf(() => readTls(cert, ""));
  expect(half).toStartWith("MILLRACE_LOCAL_TLS_KEY_FILE: ");
});
