import { afterAll, expect, test } from "bun:test";
import { createHash, generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@millrace/contract/std/clock";
import { hubTrustText } from "@millrace/contract/wire/signature";
import { openSocket } from "../uplink/socket.ts";
import { HubTrustKeeper } from "./hub-trust.ts";

/** Certificates by OpenSSL: the hub's own code has no say in what is good here. */
const folder = await mkdtemp(join(tmpdir(), "millrace-trust-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

async function openssl(...args: string[]): Promise<void> {
  const child = Bun.spawn(["openssl", ...args], { cwd: folder, stdout: "ignore", stderr: "pipe" });
  if ((await child.exited) !== 0) throw new Error(await new Response(child.stderr).text());
}
const text = (name: string) => readFile(join(folder, name), "utf8");
const newKey = (name: string) =>
  openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", `${name}.key`);

async function authority(name: string): Promise<string> {
  await newKey(name);
  const args = ["-x509", "-new", "-key", `${name}.key`, "-subj", `/CN=${name}`, "-days", "30"];
  await openssl("req", ...args, "-out", `${name}.crt`, "-addext", "keyUsage=critical,keyCertSign");
  return await text(`${name}.crt`);
}

/** @param ends days from now; below zero for one that has ended */
async function leaf(
  name: string,
  ca: string,
  host: string,
  ends = 10,
): Promise<{ cert: string; key: string }> {
  await newKey(name);
  await openssl("req", "-new", "-key", `${name}.key`, "-subj", `/CN=${name}`, "-out", `${name}.csr`);
  await writeFile(join(folder, `${name}.ext`), `subjectAltName=DNS:${host}\n`);
  const signed = ["-CA", `${ca}.crt`, "-CAkey", `${ca}.key`, "-CAcreateserial", "-extfile", `${name}.ext`];
  await openssl(
    "x509",
    "-req",
    "-in",
    `${name}.csr`,
    ...signed,
    "-days",
    String(ends),
    "-out",
    `${name}.crt`,
  );
  return { cert: await text(`${name}.crt`), key: await text(`${name}.key`) };
}

const caOne = await authority("one");
const caTwo = await authority("two");
const good = await leaf("good", "one", "localhost");
const HUB_ID = "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55";
const hubKey = generateKeyPairSync("ed25519");
const hub = { hubId: HUB_ID, hubPublicKey: String(hubKey.publicKey.export({ format: "jwk" }).x) };

const pinOf = (pem: string) => {
  const spki = new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" });
  return `sha256:${createHash("sha256").update(spki).digest("hex")}`;
};

function told(rev: number, authorities: string[], key = hubKey.privateKey, hubId = HUB_ID) {
  const trust = { hubId, rev, authorities };
  return { trust, signature: sign(null, Buffer.from(hubTrustText(trust)), key).toString("base64url") };
}

/** A hub with this certificate that says this about its trust. */
function serve(tls: { cert: string; key: string }, says: unknown) {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls,
    fetch: (request, self) => (self.upgrade(request) ? undefined : new Response(JSON.stringify(says))),
    websocket: { message() {} },
  });
  return { port: server.port, [Symbol.dispose]: () => void server.stop(true) };
}

async function keeper(port: number | undefined, at = "") {
  const home = at === "" ? await mkdtemp(join(folder, "gw-")) : at;
  const trust = await HubTrustKeeper.open({
    folder: home,
    hubUrl: `https://localhost:${port}`,
    clock: systemClock,
    fetchUnchecked: (url, init) => fetch(url, { ...init, tls: { rejectUnauthorized: false } }),
  });
  return { home, trust };
}

/** What becomes of the uplink's socket: "open", or the code and words it closes with. */
function dial(port: number | undefined, trust: HubTrustKeeper): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = openSocket(
    `wss://localhost:${port}/u`,
    {
      onOpened: () => {
        socket.close("seen");
        resolve("open");
      },
      onHeard() {},
      onGarbage() {},
      onClosed: (code, reason) => resolve(`${code} ${reason}`),
    },
    trust.tls(),
  );
  return promise;
}

test("the fingerprint of the claim command is enough: pinned, kept private, used for both carriers", async () => {
  using server = serve(good, told(5, [caTwo, caOne]));
  const { home, trust } = await keeper(server.port);
  expect(await dial(server.port, trust)).toContain("nobody this machine trusts");
  expect(trust.kind()).toBe("public");
  await trust.pin(pinOf(caOne));
  expect(trust.kind()).toBe("pinned");
  expect(await dial(server.port, trust)).toBe("open");
  const answer = await fetch(`https://localhost:${server.port}/`, { tls: trust.tls() });
  expect(answer.status).toBe(200);
  expect(((await stat(join(home, "hub-trust.json"))).mode & 0o777).toString(8)).toBe("600");
  const again = await keeper(server.port, home);
  expect(await dial(server.port, again.trust)).toBe("open");
});

test.each([
  ["http://localhost:8080", "loopback"],
  ["http://[::1]:8080", "loopback"],
  ["http://hub.plant.example", "plain"],
  ["https://hub.plant.example", "public"],
] as const)("a gateway of %s says of its link: %s", async (hubUrl, kind) => {
  const home = await mkdtemp(join(folder, "gw-"));
  const trust = await HubTrustKeeper.open({
    folder: home,
    hubUrl,
    clock: systemClock,
    fetchUnchecked: () => Promise.reject(new Error("nobody is asked")),
  });
  expect(trust.kind()).toBe(kind);
});

test("whoever shows another authority than the claimed one is not trusted, and the setting is named", async () => {
  using server = serve(await leaf("foreign", "two", "localhost"), told(9, [caTwo]));
  const { trust } = await keeper(server.port);
  await expect(trust.pin(pinOf(caOne))).rejects.toThrow("MILLRACE_HUB_CA");
  expect(trust.tls().ca).toBeUndefined();
});

test.each([
  ["another authority", () => leaf("other", "two", "localhost"), "nobody this machine trusts"],
  ["an ended certificate", () => leaf("ended", "one", "localhost", -1), "has expired"],
  ["another name", () => leaf("named", "one", "elsewhere.example"), "is for another name"],
])("%s is refused, with its reason, before anything is sent", async (_, make, reason) => {
  const { trust } = await keeper(0);
  using right = serve(good, told(5, [caOne]));
  const pinned = await keeper(right.port, (await keeper(0)).home);
  await pinned.trust.pin(pinOf(caOne));
  using server = serve(await make(), told(4, [caTwo], generateKeyPairSync("ed25519").privateKey));
  const refused = await dial(server.port, pinned.trust);
  expect(refused).toStartWith("1015 ");
  expect(refused).toContain(reason);
  expect(trust.tls().rejectUnauthorized).toBe(true);
});

test("a new authority is learned by the hub's signature alone, whatever certificate it comes over", async () => {
  using before = serve(good, told(5, [caOne]));
  const { home, trust } = await keeper(before.port);
  await trust.pin(pinOf(caOne));
  expect(await trust.learn(hub)).toBe(true);
  using after = serve(await leaf("renewed", "two", "localhost"), told(6, [caTwo]));
  const later = await keeper(after.port, home);
  expect(await dial(after.port, later.trust)).toStartWith("1015 ");
  expect(await later.trust.learn(hub)).toBe(true);
  expect(await dial(after.port, later.trust)).toBe("open");
});

test.each([
  ["an older word", told(5, [caTwo])],
  ["a word signed by another key", told(99, [caTwo], generateKeyPairSync("ed25519").privateKey)],
  ["another hub's word", told(99, [caTwo], hubKey.privateKey, HUB_ID.replace("0193", "0194"))],
  ["a changed word", { ...told(99, [caOne]), trust: { hubId: HUB_ID, rev: 99, authorities: [caTwo] } }],
  ["an authority that is none", told(99, ["no certificate"])],
  ["no word at all", { hello: "world" }],
])("%s changes nothing", async (_, says) => {
  using honest = serve(good, told(5, [caOne]));
  const { home, trust } = await keeper(honest.port);
  await trust.pin(pinOf(caOne));
  await trust.learn(hub);
  const kept = await readFile(join(home, "hub-trust.json"), "utf8");
  using liar = serve(await leaf("liar", "two", "localhost"), says);
  const asked = await keeper(liar.port, home);
  expect(await asked.trust.learn(hub)).toBe(false);
  expect(await readFile(join(home, "hub-trust.json"), "utf8")).toBe(kept);
});

test("a hub that moves to a public certificate gives the pin back", async () => {
  using server = serve(good, told(7, []));
  const { trust } = await keeper(server.port);
  await trust.pin(pinOf(caOne)).catch(() => {});
  expect(await trust.learn(hub)).toBe(true);
  expect(trust.tls()).toEqual({ rejectUnauthorized: true });
});

test("a damaged pin is never taken for none", async () => {
  const { home } = await keeper(0);
  await writeFile(join(home, "hub-trust.json"), '{"rev":1}');
  await chmod(join(home, "hub-trust.json"), 0o600);
  await expect(keeper(0, home)).rejects.toThrow("is damaged");
});
