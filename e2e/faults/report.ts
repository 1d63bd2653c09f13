import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../stack/child.ts";
import type { RowResult } from "./run.ts";

const DOCUMENT = join(ROOT, "docs", "faults.md");
const BEGIN = "<!-- results: made by `bun run faults`, do not edit -->";
const END = "<!-- end of results -->";

const word = ({ ok, skipped }: RowResult): string => (skipped ? "skipped" : ok ? "yes" : "NO");

/** Prints one line a row: what was done, what must hold, what was found. */
export function printTable(results: readonly RowResult[]): void {
  for (const result of results) {
    console.log(
      `\n${result.row}  ${word(result) === "yes" ? "ok" : word(result)}  (${result.seconds.toFixed(0)} s)`,
    );
    console.log(`  injected  ${result.injected}`);
    console.log(`  passes if ${result.criterion}`);
    console.log(`  measured  ${result.measured}`);
  }
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

/** Puts the results between the marks of docs/faults.md; the words around them stay. */
export function writeDocument(results: readonly RowResult[], run: { long: boolean; seconds: number }): void {
  const text = readFileSync(DOCUMENT, "utf8");
  const before = text.slice(0, text.indexOf(BEGIN));
  const after = text.slice(text.indexOf(END));
  const lines = results.map(
    (result) =>
      `| ${result.row} | ${cell(result.injected)} | ${cell(result.criterion)} | ${cell(result.measured)} | ${word(result)} |`,
  );
  const table = ["| row | injected | passes if | measured | ok |", "|---|---|---|---|---|", ...lines];
  const kind = run.long ? "long run" : "short run";
  const section = [BEGIN, "", `Last ${kind}, ${run.seconds} s on 2 cores:`, "", ...table, ""];
  writeFileSync(DOCUMENT, `${before}${section.join("\n")}\n${after}`);
}
