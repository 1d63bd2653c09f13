import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXIT_SETTING } from "@millrace/contract/std/setting";

const MAIN = join(import.meta.dir, "main.ts");
const testMs = 90_000;
const ADA = { name: "Ada", email: "ada@plant.example", password: "a long plant password" };
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-main-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function start(environment: Record<string, string>) {
  return Bun.spawn([process.execPath, MAIN], {
    env: { PATH: process.env.PATH ?? "", MILLRACE_DATA: join(folder, "data"), ...environment },
    stdout: "pipe",
    stderr: "pipe",
  });
}

/** Reads until the pattern appears. @throws Error when the output ends before */
async function until(stream: ReadableStream<Uint8Array>, pattern: RegExp): Promise<RegExpExecArray> {
  let text = "";
  for await (const chunk of stream) {
    text += new TextDecoder().decode(chunk);
    const found = pattern.exec(text);
    if (found !== null) return found;
  }
  throw new Error(`the hub ended without ${pattern}: ${text}`);
}

test(
  "a hub on any free port prints a link that works, lets in who it made, and ends without leftovers",
  async () => {
    const hub = start({ MILLRACE_PORT: "0" });
    try {
      const [, base = "", token] = await until(hub.stdout, /Set-up link: (http:\S+)\/setup#token=(\S+)/);
      expect(Number(new URL(base).port)).toBeGreaterThan(0);
      const post = (path: string, body: object, headers: Record<string, string> = {}) =>
        fetch(base + path, {
          method: "POST",
          headers: { "content-type": "application/json", origin: base, ...headers },
          body: JSON.stringify(body),
        });
      expect((await post("/api/v1/setup", { token, ...ADA })).status).toBe(200);
      const wanted = { email: ADA.email, password: ADA.password };
      const elsewhere = await post("/api/v1/sign-in/password", wanted, { origin: "http://localhost:0" });
      expect(elsewhere.status).toBe(403);
      const signedIn = await post("/api/v1/sign-in/password", wanted);
      expect(signedIn.status).toBe(200);
      const cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
      expect((await fetch(`${base}/api/v1/me`, { headers: { cookie } })).status).toBe(200);
      expect((await post("/api/v1/sign-out", {}, { cookie })).status).toBe(200);
      expect((await fetch(`${base}/api/v1/me`, { headers: { cookie } })).status).toBe(401);
      const second = start({ MILLRACE_PORT: "0" });
      expect(await second.exited).toBe(EXIT_SETTING);
      expect(await new Response(second.stderr).text()).toContain("MILLRACE_DATA: another hub is running");
    } finally {
      hub.kill("SIGTERM");
    }
    expect(await hub.exited).toBe(0);
    expect(await Bun.file(join(folder, "data", "postgres", "data", "postmaster.pid")).exists()).toBe(false);
  },
  testMs,
);

test(
  "a wrong setting ends the hub before it touches anything, with the exit code for settings",
  async () => {
    const hub = start({ MILLRACE_PORT: "eighty", MILLRACE_DATA: join(folder, "untouched") });
    expect(await hub.exited).toBe(EXIT_SETTING);
    expect(await new Response(hub.stderr).text()).toStartWith("MILLRACE_PORT: ");
    expect(await Bun.file(join(folder, "untouched", "hub.lock")).exists()).toBe(false);
  },
  testMs,
);
