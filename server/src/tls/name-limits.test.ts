import { expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { namesBeyond } from "./name-limits.ts";
import { issueCertificate, makeAuthority } from "./own-authority.ts";

const nowMs = Date.now();
const NAMES = ["hub.plant.example", "203.0.113.7", "2001:db8::5"];

/** What OpenSSL, which is not ours, makes of a certificate for one name that the authority signed. */
async function verdict(folder: string, authority: { cert: string; key: string }, name: string) {
  const pair = await issueCertificate(authority, [name], nowMs);
  const [ca, leaf] = [join(folder, "ca.pem"), join(folder, "leaf.pem")];
  await writeFile(ca, authority.cert);
  await writeFile(leaf, pair.cert);
  const run = Bun.spawnSync(["openssl", "verify", "-purpose", "sslserver", "-CAfile", ca, leaf]);
  const text = run.stdout.toString() + run.stderr.toString();
  if (run.exitCode === 0) return "taken";
  return /permitted subtree violation/.test(text) ? "beyond" : text;
}

/** What the runtime of our gateways makes of it; the name is the one it asks for. */
async function dialled(authority: { cert: string; key: string }, name: string): Promise<string> {
  const pair = await issueCertificate(authority, [name, "127.0.0.1"], nowMs);
  using server = Bun.serve({ port: 0, hostname: "127.0.0.1", tls: pair, fetch: () => new Response("") });
  return await new Promise((resolve) => {
    const options = { host: "127.0.0.1", port: server.port, servername: name, ca: authority.cert };
    const socket = connect(options, () => {
      socket.destroy();
      resolve("taken");
    });
    socket.on("error", (error: Error) => resolve(error.message));
  });
}

test("our gateways' runtime holds to the bounds too, beside an address", async () => {
  const authority = await makeAuthority(NAMES, nowMs);
  expect(await dialled(authority, "hub.plant.example")).toBe("taken");
  expect(await dialled(authority, "bank.example")).toContain("permitted subtree violation");
});

test("a stolen authority is of use for this plant alone, as OpenSSL judges and as the hub does itself", async () => {
  const folder = await mkdtemp(join(tmpdir(), "millrace-limits-"));
  try {
    const authority = await makeAuthority(NAMES, nowMs);
    for (const [name, wanted] of [
      ["hub.plant.example", "taken"],
      ["second.hub.plant.example", "taken"],
      ["press.local", "taken"],
      ["localhost", "taken"],
      ["203.0.113.7", "taken"],
      ["2001:db8::5", "taken"],
      ["plant.example", "beyond"],
      ["evilhub.plant.example", "beyond"],
      ["bank.example", "beyond"],
    ] as const) {
      expect([name, await verdict(folder, authority, name)]).toEqual([name, wanted]);
      expect([name, namesBeyond(authority.cert, [name])]).toEqual([name, wanted === "taken" ? [] : [name]]);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
