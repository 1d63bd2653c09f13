import { afterEach, describe, expect, test } from "bun:test";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalJson } from "@millrace/contract/std/canonical-json";
import { systemClock } from "@millrace/contract/std/clock";
import type { GatewayStatus } from "@millrace/contract/vocabulary/gateway";
import type { Manifest } from "@millrace/contract/wire/manifest";
import { manifestText } from "@millrace/contract/wire/signature";
import { VERSION } from "@millrace/contract/wire/version";
import { ModbusSimulator } from "../src/drivers/modbus/simulator.ts";
import { fakeTag } from "./fake-plant.ts";
import { LocalVisitor } from "./local-visitor.ts";

/** The whole gateway as its own process: no hub, a signed manifest in its cache, a device that speaks real Modbus TCP. */

const HUB = "00000000-0000-7000-8000-0000000000aa";
const GATEWAY = "00000000-0000-7000-8000-0000000000bb";
const DEVICE = "00000000-0000-7000-8000-0000000000cc";
const TOKEN = "a-token-of-the-test-0123456789abcdef";
const SECONDS_MAX = 20;

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startPlant(port = 0): Promise<ModbusSimulator> {
  const plant = await ModbusSimulator.start(systemClock, port);
  plant.unit(1).holding.set([11, 22, 33]);
  return plant;
}

async function folderFor(port: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-gateway-"));
  cleanUps.push(() => rm(folder, { recursive: true, force: true }));
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const hubPublicKey = publicKey.export({ format: "jwk" }).x;
  const tags = [0, 1, 2].map((n) =>
    fakeTag(n + 1, { address: `holding:${n}`, dataType: "uint16", name: `<b>${n}` }),
  );
  const manifest: Manifest = {
    version: VERSION.manifest,
    hubId: HUB,
    gatewayId: GATEWAY,
    gatewayName: "Press <hall>",
    rev: 7,
    devices: [
      {
        deviceId: DEVICE,
        name: "Press",
        path: "plant/press",
        driver: "modbus",
        settings: { host: "127.0.0.1", port, unit: 1, timeoutMs: 500 },
        tags,
      },
    ],
  };
  const json = canonicalJson(manifest);
  const signed = {
    json,
    sha256: createHash("sha256").update(json).digest("hex"),
    signature: sign(null, Buffer.from(manifestText(json)), privateKey).toString("base64url"),
  };
  const identity = {
    gatewayId: GATEWAY,
    gatewayName: "Press",
    keyId: "k1",
    epoch: 1,
    hubId: HUB,
    hubPublicKey,
    hubUrl: "http://127.0.0.1:9",
  };
  await writeFile(join(folder, "manifest.json"), JSON.stringify(signed));
  await writeFile(join(folder, "identity.json"), JSON.stringify(identity));
  return folder;
}

function spawn(folder: string, more: Record<string, string> = {}) {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "../src/main.ts")], {
    env: {
      PATH: process.env.PATH ?? "",
      MILLRACE_DATA: folder,
      MILLRACE_HUB_URL: "http://127.0.0.1:9",
      MILLRACE_LOCAL_PORT: "0",
      MILLRACE_LOCAL_TOKEN: TOKEN,
      ...more,
    },
    stdout: "pipe",
    stderr: "pipe",
  });
  cleanUps.push(async () => {
    child.kill("SIGKILL");
    await child.exited;
  });
  return child;
}

/** Address of the local page, and the PIN that stands on the console at the first start. */
async function ready(child: ReturnType<typeof spawn>): Promise<{ url: string; pin: string }> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    text += decoder.decode(chunk, { stream: true });
    const url = text.match(/"localUrl":"([^"]+)"/)?.[1];
    if (url) return { url, pin: /First PIN of the local page: ([\d ]+\d)/.exec(text)?.[1] ?? "" };
  }
  throw new Error(`no gateway.ready:\n${text}`);
}

const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };
const statusOf = async (url: string): Promise<GatewayStatus> =>
  ((await (await fetch(`${url}api/v1/status`, { headers: AUTHORIZED })).json()) as { status: GatewayStatus })
    .status;

async function until(url: string, good: (status: GatewayStatus) => boolean): Promise<GatewayStatus> {
  let status = await statusOf(url);
  for (let tries = 0; tries < SECONDS_MAX * 5 && !good(status); tries++) {
    await systemClock.sleep(200);
    status = await statusOf(url);
  }
  expect(good(status)).toBe(true);
  return status;
}

describe("the gateway as a process", () => {
  test("polls without a hub, keeps what it reads, says why a device is lost, and goes on after a kill", async () => {
    let plant = await startPlant();
    cleanUps.push(() => plant.close());
    const { port } = plant;
    const folder = await folderFor(port);
    const first = spawn(folder);
    const { url, pin } = await ready(first);
    const before = await until(
      url,
      (status) => status.devices[0]?.tagsGood === 3 && status.outbox.samplesUnsent > 0,
    );
    expect(before.manifestRev).toBe(7);

    const ada = new LocalVisitor(url);
    await ada.enter(pin, "93810246");
    const page = await ada.text("/");
    for (const rung of ["Power and system", "Devices", "Buffer", "Hub"])
      expect(page).toContain(`<h3>${rung}</h3>`);
    expect(page).toContain("Press &lt;hall&gt;");
    expect(page).not.toMatch(/<script(?! src="\/live\.js" defer>)/);
    const tags = await ada.text("/tags?q=tag1");
    expect(tags).toContain("plant/tag1");
    expect(tags).not.toContain("plant/tag2");

    await plant.close();
    await until(url, (status) => status.devices[0]?.tagsBad === 3);
    expect(await ada.text("/")).toMatch(/refused|closed|reset|lost/i);
    const held = (await statusOf(url)).outbox.samplesUnsent;
    first.kill("SIGKILL");
    await first.exited;

    plant = await startPlant(port);
    const second = spawn(folder);
    const { url: again, pin: shownAgain } = await ready(second);
    expect(shownAgain).toBe("");
    expect((await new LocalVisitor(again).signIn("93810246")).headers.get("location")).toBe("/");
    await until(
      again,
      (status) => status.devices[0]?.linkState === "up" && status.outbox.samplesUnsent > held,
    );
    second.kill("SIGTERM");
    expect(await second.exited).toBe(0);
  }, 60_000);

  test("is guarded: foreign hosts, other methods and unknown routes get a coded answer", async () => {
    const plant = await startPlant();
    cleanUps.push(() => plant.close());
    const folder = await folderFor(plant.port);
    const { url, pin } = await ready(spawn(folder));
    const foreign = await fetch(url, { headers: { host: "evil.example" } });
    expect(foreign.status).toBe(421);
    expect((await fetch(url, { method: "PUT" })).status).toBe(405);
    const ada = new LocalVisitor(url);
    await ada.enter(pin, "93810246");
    const unknown = await ada.get("/nowhere");
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ code: "route.unknown" });
    expect(unknown.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(await (await fetch(`${url}metrics`)).text()).toContain("millrace_gateway_outbox_durable 1");
    expect((await fetch(`${url}readyz`)).status).toBe(200);

    const second = spawn(folder);
    expect(await second.exited).toBe(78);
    expect(await new Response(second.stdout).text()).toContain("another gateway is running");
  }, 30_000);

  test("S45: a PIN is made anew at the machine while the gateway runs, and stands in no log and no event", async () => {
    const folder = await folderFor(1);
    const child = spawn(folder);
    const { url, pin } = await ready(child);
    const reset = Bun.spawn([process.execPath, join(import.meta.dir, "../src/main.ts"), "reset-pin"], {
      env: { PATH: process.env.PATH ?? "", MILLRACE_DATA: folder },
      stdout: "pipe",
    });
    const shown = /First PIN of the local page: (\d{4} \d{4})/.exec(
      await new Response(reset.stdout).text(),
    )?.[1];
    expect(await reset.exited).toBe(0);
    expect(shown).not.toBe(pin);
    expect((await new LocalVisitor(url).signIn(pin)).status).toBe(401);
    expect((await new LocalVisitor(url).signIn(shown!)).headers.get("location")).toBe("/pin");
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    for (const file of await readdir(folder)) {
      const bytes = await readFile(join(folder, file), "latin1");
      for (const one of [pin, shown!]) expect(bytes).not.toContain(one.replace(" ", ""));
    }
    const wrong = spawn(folder, { MILLRACE_LOCAL_HOST: "0.0.0.0" });
    expect(await wrong.exited).toBe(78);
    expect(await new Response(wrong.stderr).text()).toStartWith("MILLRACE_LOCAL_HOST: ");
  }, 30_000);

  test("names a wrong setting and never a secret, and ends with 78", async () => {
    const wrong = spawn("/nowhere", { MILLRACE_LOCAL_PORT: "eighty" });
    expect(await wrong.exited).toBe(78);
    expect(await new Response(wrong.stderr).text()).toMatch(
      /^MILLRACE_LOCAL_PORT: found "eighty", expected .*65535\.\n$/,
    );
    const secret = spawn("/nowhere", { MILLRACE_CLAIM_TOKEN: "hunter2" });
    expect(await secret.exited).toBe(78);
    expect(await new Response(secret.stderr).text()).not.toContain("hunter2");
  }, 30_000);
});
