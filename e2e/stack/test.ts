// npm test: every check and every test, one count at the end.
import { NOT_CHECKED } from "../supply/not-checked.ts";
import { ROOT } from "./child.ts";
import { SECOND_TRIES_MAX, secondTry, suiteOutput } from "./suite-output.ts";

interface Count {
  passed: number;
  failed: number;
  /** Checks that could not be made here, which is not the same as passed. */
  skipped: number;
  /** Names of the tests that failed. */
  names: readonly string[];
  /** Names of the tests that passed at their second try only. */
  late: readonly string[];
}

interface Step {
  title: string;
  command: readonly string[];
  /** A check counts as one; a suite prints its own counts. */
  kind: "check" | "suite";
}

const bun = process.execPath;
// A busy machine must not turn a slow test into a failed one.
const testOf = (...paths: string[]) => [
  bun,
  "test",
  "--timeout",
  "30000",
  ...paths.map((path) => `./${path}`),
];
const suite = (folder: string): Step => ({
  title: `tests of ${folder}`,
  command: testOf(`${folder}/`),
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

/** Runs a command, showing what it prints. */
async function show(title: string, command: readonly string[]): Promise<{ code: number; text: string }> {
  console.log(`\n=== ${title}`);
  const child = Bun.spawn([...command], { cwd: ROOT, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  let text = "";
  const pass = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      const part = decoder.decode(chunk, { stream: true });
      text += part;
      process.stdout.write(part);
    }
  };
  await Promise.all([pass(child.stdout), pass(child.stderr)]);
  return { code: await child.exited, text };
}

async function check({ title, command }: Step): Promise<Count> {
  const { code } = await show(title, command);
  const skipped = code === NOT_CHECKED ? 1 : 0;
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 - skipped, skipped, names: [], late: [] };
}

let triesLeft = SECOND_TRIES_MAX;

async function runSuite({ title, command }: Step): Promise<Count> {
  const { code, text } = await show(title, command);
  const output = suiteOutput(text);
  const { passed, failed, skipped } = output;
  const names = [...new Set(output.failures.map(({ name }) => name))];
  const files = secondTry(output, triesLeft);
  if (files.length > 0) {
    triesLeft -= failed;
    const again = await show(`${title}: second try of ${files.join(", ")}`, testOf(...files));
    const whole = again.code === 0 && suiteOutput(again.text).passed > 0;
    if (whole) return { passed: passed + failed, failed: 0, skipped, names: [], late: names };
  }
  // A suite that broke before it could count, or found nothing to run, has failed.
  const broken = failed === 0 && (code !== 0 || passed === 0);
  return { passed, failed: broken ? 1 : failed, skipped, names, late: [] };
}

const only = process.argv.slice(2);
const startedMs = performance.now();
const total = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];
const skips: string[] = [];
const late: string[] = [];
for (const step of STEPS) {
  if (only.length > 0 && !only.some((word) => step.title.includes(word))) continue;
  const count = await (step.kind === "check" ? check(step) : runSuite(step));
  total.passed += count.passed;
  total.failed += count.failed;
  total.skipped += count.skipped;
  late.push(...count.late);
  if (count.skipped > 0) skips.push(step.title);
  if (count.failed > 0) failures.push([step.title, ...count.names].join("\n    "));
}
console.log(`\n${((performance.now() - startedMs) / 1_000).toFixed(0)} s`);
if (failures.length > 0) console.log(`Failed:\n  ${failures.join("\n  ")}`);
if (late.length > 0) console.log(`Passed at the second try only (${late.length}):\n  ${late.join("\n  ")}`);
if (skips.length > 0) console.log(`Not checked here (${total.skipped}): ${skips.join(", ")}`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);
