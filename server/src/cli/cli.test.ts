import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { API_KEY, type TestHub, testHub } from "../../test/hub.ts";

/** The command line as a person uses it: the program, a listening hub, a file. */

const DOC = join(import.meta.dir, "../../../docs/configuration.md");
let hub: TestHub;
let folder = "";
let url = "";

beforeAll(async () => {
  hub = await testHub();
  hub.app.listen({ hostname: "127.0.0.1", port: 0 });
  url = `http://127.0.0.1:${hub.app.server?.port}`;
  folder = await mkdtemp(join(tmpdir(), "millrace-cli-"));
  const example = /```yaml\n([\s\S]*?)```/.exec(await Bun.file(DOC).text())?.[1];
  await Bun.write(join(folder, "plant.yaml"), example ?? "");
});
afterAll(async () => {
  await hub.app.stop(true);
  await hub[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function millrace(args: string[], env: Record<string, string> = {}) {
  const run = Bun.spawn([process.execPath, join(import.meta.dir, "main.ts"), ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", MILLRACE_HUB_URL: url, MILLRACE_API_KEY: API_KEY, ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = [await new Response(run.stdout).text(), await new Response(run.stderr).text()];
  return { code: await run.exited, out, err };
}

test("the example of the documentation is applied in one command, and comes back out", async () => {
  const dry = await millrace(["config", "apply", "plant.yaml", "--dry-run"]);
  expect([dry.code, dry.out]).toEqual([0, expect.stringContaining("+ device Plant/Hall 1/Meter 1")]);
  expect(dry.out).toContain("Dry run, nothing was changed: 5 added");
  const applied = await millrace(["config", "apply", "plant.yaml", "--comment", "first"]);
  expect(applied.out).toContain("Published as version 1: 5 added, 0 changed, 0 removed; gateways: Hall 1.");
  expect((await millrace(["config", "apply", "plant.yaml"])).out).toContain("Nothing to do");
  const { out } = await millrace(["config", "get"]);
  expect(out).toStartWith("millrace: 1\nsites:\n  Plant:\n    kind: site\n");
  await Bun.write(join(folder, "again.yaml"), out.replace("unit: kW", "unit: W"));
  expect((await millrace(["config", "apply", "again.yaml", "--prune"])).out).toContain(
    '~ profile Supply meter\n    tags.Power.unit: "kW" → "W"',
  );
  expect((await millrace(["config", "versions"])).out).toContain("config.apply  +5 ~0 -0  first");
  expect((await millrace(["config", "diff", "2", "1"])).out).toContain('tags.Power.unit: "W" → "kW"');
  expect((await millrace(["config", "rollback", "1"])).out).toContain("Published as version 3");
});

test("what is wrong is said with its line, on standard error, with an exit code", async () => {
  const text = await Bun.file(join(folder, "plant.yaml")).text();
  await Bun.write(
    join(folder, "wrong.yaml"),
    text.replace("coil:1", "coil:one").replace("kind: area", "kind: room"),
  );
  const wrong = await millrace(["config", "apply", "wrong.yaml"]);
  expect([wrong.code, wrong.out]).toEqual([1, ""]);
  expect(wrong.err).toContain(
    'line 4: sites["Plant/Hall 1"].kind: expected one of enterprise, site, area, line, cell.',
  );
  expect((await millrace(["config", "aply", "x"])).code).toBe(64);
  expect((await millrace(["config", "apply", "absent.yaml"])).err).toContain("absent.yaml");
  const stranger = await millrace(["config", "get"], { MILLRACE_API_KEY: "x".repeat(40) });
  expect([stranger.code, stranger.err]).toEqual([1, expect.stringContaining("auth.required")]);
  const keyless = await millrace(["config", "get"], { MILLRACE_API_KEY: "" });
  expect([keyless.code, keyless.err]).toEqual([78, expect.stringContaining("MILLRACE_API_KEY")]);
  const away = await millrace(["config", "get"], { MILLRACE_HUB_URL: "http://127.0.0.1:1" });
  expect([away.code, away.err]).toEqual([1, expect.stringContaining("cannot be reached")]);
});

test("tags come from a file and go into one; each wrong cell is a line", async () => {
  const header = "name;address;dataType;unit";
  await Bun.write(join(folder, "wrong.csv"), `${header}\nA;holding:x;int16;bar\nB;holding:2;int17;bar\n`);
  const wrong = await millrace(["config", "import", "wrong.csv", "--profile", "Supply meter"]);
  expect([wrong.code, wrong.out]).toEqual([1, ""]);
  expect(wrong.err.split("\n").map((line) => line.slice(0, 26))).toEqual([
    'row 2, column "address": A',
    'row 3, column "dataType": ',
    "Nothing was changed (reque",
    "",
  ]);
  await Bun.write(join(folder, "right.csv"), `${header}\nA;holding:1;int16;°C\n`);
  const args = ["config", "import", "right.csv", "--profile", "Supply meter", "--prune"];
  const dry = await millrace([...args, "--dry-run"]);
  expect(dry.out).toContain("! Read as tags: 1 rows.\nDry run, nothing was changed: 0 added, 1 changed");
  expect((await millrace([...args, "--comment", "From a file"])).out).toContain("Published as version");
  expect((await millrace(["config", "versions"])).out).toContain("config.import  +0 ~1 -0  From a file");
  const { out } = await millrace(["config", "export", "--kind", "tags", "--profile", "Supply meter"]);
  expect(out).toContain("Supply meter,A,holding:1,int16,°C");
  expect((await millrace(["config", "export"])).code).toBe(64);
  expect((await millrace(["config", "import", "right.csv", "--kind", "sites"])).code).toBe(64);
});
