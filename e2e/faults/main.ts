// Runs rows of the fault matrix against real processes.      usage: bun e2e/faults/main.ts [--long | --tenth] [--seed=N] [row ...]
// With every row run, docs/faults.md gets the new results.
import { seeded } from "../specs/kill-rounds.ts";
import { ROWS } from "./registry.ts";
import { printTable, writeDocument } from "./report.ts";
import { runRows } from "./run.ts";

const args = process.argv.slice(2);
const long = args.includes("--long");
const share = long ? 1 : args.includes("--tenth") ? 0.1 : 0;
const seed = Number(args.find((arg) => arg.startsWith("--seed="))?.slice(7) ?? 1);
const wanted = args.filter((arg) => !arg.startsWith("--")).map((arg) => arg.toUpperCase());
const unknown = wanted.filter((name) => !ROWS.some(({ row }) => row === name));
if (unknown.length > 0) {
  console.error(`No such row: ${unknown.join(", ")}. There are ${ROWS.map(({ row }) => row).join(" ")}.`);
  process.exit(2);
}
const rows = wanted.length === 0 ? ROWS : ROWS.filter(({ row }) => wanted.includes(row));
const startedMs = performance.now();
const results = await runRows(rows, { share, random: seeded(seed), say: (line) => console.log(line) });
printTable(results);
const failed = results.filter(({ ok, skipped }) => !ok && !skipped);
const seconds = Math.round((performance.now() - startedMs) / 1_000);
console.log(`\n${results.length} rows, ${failed.length} failed, seed ${seed}, ${seconds} s`);
if (wanted.length === 0 && failed.length === 0) writeDocument(results, { long, seconds });
process.exit(failed.length === 0 ? 0 : 1);
