// npm test: every check and every test, one count at the end.
import { NOT_CHECKED } from "../supply/not-checked.ts";
import { ROOT } from "./child.ts";

interface Count {
  passed: number;
  failed: number;
  /** Checks that could not be made here, which is not the same as passed. */
  skipped: number;
  /** Names of the tests that failed. */
  names: readonly string[];
}

interface Step {
  title: string;
  command: readonly string[];
  /** A check counts as one; a suite prints its own counts. */
  kind: "check" | "suite";
}

const bun = process.execPath;
const suite = (folder: string): Step => ({
  title: `tests of ${folder}`,
  // A busy machine must not turn a slow test into a failed one.
  command: [bun, "test", "--timeout", "30000", `./${folder}/`],
  kind: "suite",
});

const STEPS: readonly Step[] = [
  { title: "format and lint", command: [bun, "x", "biome", "check", "."], kind: "check" },
  ...["contract", "server", "gateway", "e2e"].map(
    (name): Step => ({ title: `types of ${name}`, command: [bun, "x", "tsc", "-p", name], kind: "check" }),
  ),
  { title: "types of web", command: [bun, "run", "--cwd", "web", "typecheck"], kind: "check" },
  { title: "settings document", command: [bun, "e2e/stack/settings-doc.ts"], kind: "check" },
  { title: "size of the screens", command: [bun, "web/scripts/budget.ts"], kind: "check" },
  { title: "known flaws of dependencies", command: [bun, "e2e/supply/audit.ts"], kind: "check" },
  ...["contract", "server", "gateway", "web", "e2e"].map(suite),
];

/** Runs one step, showing what it prints, and counts. */
async function run(step: Step): Promise<Count> {
  console.log(`\n=== ${step.title}`);
  const child = Bun.spawn([...step.command], { cwd: ROOT, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  let text = "";
  const show = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      const part = decoder.decode(chunk, { stream: true });
      text += part;
      process.stdout.write(part);
    }
  };
  await Promise.all([show(child.stdout), show(child.stderr)]);
  const code = await child.exited;
  if (step.kind === "check") {
    const skipped = code === NOT_CHECKED ? 1 : 0;
    const failed = code === 0 ? 0 : 1 - skipped;
    return { passed: code === 0 ? 1 : 0, failed, skipped, names: [] };
  }
  const number = (word: string) => Number(new RegExp(`^\\s*(\\d+) ${word}$`, "m").exec(text)?.[1] ?? 0);
  const names = new Set(
    Array.from(text.matchAll(/^\(fail\) (.*?)(?: \[[\d.]+ms\])?$/gm), ([, name]) => name!),
  );
  const count = {
    passed: number("pass"),
    failed: number("fail"),
    skipped: number("skip"),
    names: [...names],
  };
  // A suite that broke before it could count, or found nothing to run, has failed.
  if (code !== 0 && count.failed === 0) count.failed = 1;
  if (count.passed + count.failed === 0) count.failed = 1;
  return count;
}

const only = process.argv.slice(2);
const startedMs = performance.now();
const total = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];
const skips: string[] = [];
for (const step of STEPS) {
  if (only.length > 0 && !only.some((word) => step.title.includes(word))) continue;
  const count = await run(step);
  total.passed += count.passed;
  total.failed += count.failed;
  total.skipped += count.skipped;
  if (count.skipped > 0) skips.push(step.title);
  if (count.failed > 0) failures.push([step.title, ...count.names].join("\n    "));
}
console.log(`\n${((performance.now() - startedMs) / 1_000).toFixed(0)} s`);
if (failures.length > 0) console.log(`Failed:\n  ${failures.join("\n  ")}`);
if (skips.length > 0) console.log(`Not checked here (${total.skipped}): ${skips.join(", ")}`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);
