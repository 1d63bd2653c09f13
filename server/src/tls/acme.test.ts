import { afterAll, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, systemRandom } from "@millrace/contract/std/clock";
import { Registry } from "prom-client";
import { acmeSource } from "./acme-source.ts";
import { factsOf, type TlsPair } from "./certificate.ts";
import { CertificateKeeper, retryMs } from "./keeper.ts";
import { issueCertificate, makeAuthority } from "./own-authority.ts";

/** The peer is Pebble, the test authority of Let's Encrypt's makers, with their name server for tests. */
const testMs = 40_000;
const NAMES = ["hub.millrace.test", "hub2.millrace.test"];
const folder = await mkdtemp(join(tmpdir(), "millrace-acme-"));
const answers = new Map<string, string>();
const children: Bun.Subprocess[] = [];

/** Stands for the plain port: the authority comes here to see the proof. */
const plain = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch(request) {
    const token = new URL(request.url).pathname.split("/acme-challenge/")[1] ?? "";
    const answer = answers.get(token);
    return answer === undefined ? new Response("", { status: 404 }) : new Response(answer);
  },
});
const freePort = (): number => {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("") });
  const { port } = server;
  void server.stop(true);
  return port!;
};

async function until(what: () => Promise<boolean> | boolean): Promise<void> {
  for (let turn = 0; turn < 200; turn++) {
    if (await what()) return;
    await systemClock.sleep(50);
  }
  throw new Error("it did not come about");
}

const [directoryPort, managePort, dnsPort, dnsManagePort] = [1, 2, 3, 4].map(freePort);
const authority = await makeAuthority([], systemClock.nowMs());
const directoryUrl = `https://localhost:${directoryPort}/dir`;
const askPebble = (url: string, init: RequestInit) => fetch(url, { ...init, tls: { ca: authority.cert } });

const pair = await issueCertificate(authority, ["localhost"], systemClock.nowMs());
await writeFile(join(folder, "pebble.crt"), pair.cert);
await writeFile(join(folder, "pebble.key"), pair.key);
await writeFile(
  join(folder, "pebble.json"),
  JSON.stringify({
    pebble: {
      listenAddress: `127.0.0.1:${directoryPort}`,
      managementListenAddress: `127.0.0.1:${managePort}`,
      certificate: join(folder, "pebble.crt"),
      privateKey: join(folder, "pebble.key"),
      httpPort: plain.port,
      tlsPort: 1,
    },
  }),
);
const quiet = { stdout: "ignore", stderr: "ignore" } as const;
children.push(
  Bun.spawn(
    [
      "pebble-challtestsrv",
      ...["-defaultIPv6", "", "-defaultIPv4", "127.0.0.1", "-dns01", `127.0.0.1:${dnsPort}`],
      ...["-management", `127.0.0.1:${dnsManagePort}`, "-http01", "", "-https01", "", "-tlsalpn01", ""],
    ],
    quiet,
  ),
  Bun.spawn(["pebble", "-config", join(folder, "pebble.json"), "-dnsserver", `127.0.0.1:${dnsPort}`], {
    ...quiet,
    // Every fifth good nonce is refused, as any authority may.
    env: { ...process.env, PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "20" },
  }),
);
await until(() =>
  askPebble(directoryUrl, {}).then(
    ({ ok }) => ok,
    () => false,
  ),
);

afterAll(async () => {
  for (const child of children) child.kill();
  await Promise.all(children.map(({ exited }) => exited));
  await plain.stop(true);
  await rm(folder, { recursive: true, force: true });
});

async function open(name: string, names = NAMES, given = answers) {
  const keysFolder = join(folder, name);
  const source = await acmeSource({
    keysFolder,
    names,
    directoryUrl,
    contact: "ops@millrace.test",
    answers: given,
    clock: systemClock,
    fetch: askPebble,
  });
  return { keysFolder, source };
}

test(
  "a certificate by the authority replaces the one nobody trusts, and outlives a restart",
  async () => {
    const swapped: TlsPair[] = [];
    const { keysFolder, source } = await open("whole");
    const swap = (one: TlsPair) => void swapped.push(one);
    const keeper = await CertificateKeeper.open({
      source,
      clock: systemClock,
      random: systemRandom,
      registry: new Registry(),
      swap,
    });
    expect(keeper.findings()[0]?.code).toBe("certificate.temporary");
    keeper.start();
    await until(() => swapped.length > 0 || keeper.findings().length > 1);
    await keeper.stop();
    expect(keeper.findings()).toEqual([]);
    expect(keeper.facts.issuer).toContain("Pebble");
    expect(keeper.facts.names.sort()).toEqual([...NAMES].sort());
    expect(new X509Certificate(swapped[0]!.cert).checkHost(NAMES[1]!)).toBe(NAMES[1]!);
    for (const file of ["acme-account.pem", "tls-acme.pem"])
      expect(((await stat(join(keysFolder, file))).mode & 0o777).toString(8)).toBe("600");
    expect(answers.size).toBe(0);
    const again = (await open("whole")).source;
    const kept = await again.first();
    expect(kept).toEqual({ pair: swapped[0]!, due: false });
    expect(await again.renew(kept.pair)).toBeNull();
  },
  testMs,
);

test(
  "an authority that does not see the proof is quoted, and the old certificate goes on",
  async () => {
    // The answers go where nobody looks.
    const { source } = await open("blind", ["hub.millrace.test"], new Map());
    const swapped: TlsPair[] = [];
    const keeper = await CertificateKeeper.open({
      source,
      clock: systemClock,
      random: systemRandom,
      registry: new Registry(),
      swap: (one) => void swapped.push(one),
    });
    const before = factsOf(keeper.pair.cert).fingerprint;
    keeper.start();
    await until(() => keeper.findings().length > 1);
    await keeper.stop();
    expect(keeper.findings()[1]?.message).toContain("the proof for hub.millrace.test ended as");
    expect(factsOf(keeper.pair.cert).fingerprint).toBe(before);
    expect(swapped).toEqual([]);
  },
  testMs,
);

test("waits after failures double, are spread, and end at six hours", () => {
  const middle = (failures: number) => retryMs(failures, () => 0.5) / 60_000;
  expect([1, 2, 3, 20].map(middle)).toEqual([5, 10, 20, 360]);
  expect(retryMs(1, () => 0)).toBeLessThan(retryMs(1, () => 0.99));
});
