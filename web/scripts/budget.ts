/**
 * Sizes the built web after gzip and fails over the budget of `ux.md` 5. Run by `bun run build`, so that a large
 * dependency is noticed on the day it comes.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const DIST = new URL("../dist/", import.meta.url).pathname;
const BUDGET_KB = { js: 90, css: 12, precache: 400 } as const;

const gzipKb = (path: string): number =>
  gzipSync(readFileSync(join(DIST, path)), { level: 9 }).length / 1_000;
const files = readdirSync(DIST, { recursive: true, encoding: "utf8" }).filter((path) => path.includes("."));
// Everything the page loads before it can show something: whatever index.html names, and what that imports at once.
const html = readFileSync(join(DIST, "index.html"), "utf8");
const started = files.filter((path) => html.includes(`/${path}"`));
const sum = (paths: string[]): number => paths.reduce((total, path) => total + gzipKb(path), 0);

const sizes = {
  js: sum(started.filter((path) => path.endsWith(".js"))),
  css: sum(started.filter((path) => path.endsWith(".css"))),
  precache: sum(files.filter((path) => path !== "service-worker.js")),
};
let over = false;
for (const name of ["js", "css", "precache"] as const) {
  const fits = sizes[name] > 0 && sizes[name] <= BUDGET_KB[name];
  over ||= !fits;
  process.stdout.write(
    `${name.padEnd(9)} ${sizes[name].toFixed(1)} kB gzip of ${BUDGET_KB[name]} ${fits ? "" : "OVER"}\n`,
  );
}
if (/ style=|<style|<script>|<script(?![^>]*src=)/.test(html)) {
  process.stdout.write("index.html holds inline code or styles, which the hub's CSP refuses\n");
  over = true;
}
process.exit(over ? 1 : 0);
