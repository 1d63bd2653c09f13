/**
 * Sizes the built web after gzip and fails over the budget of `ux.md` 5. Run by `bun run build`, so that a large
 * dependency is noticed on the day it comes.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const DIST = new URL("../dist/", import.meta.url).pathname;
const BUDGET_KB = { js: 90, css: 12, trends: 40, chart: 40, precache: 400 } as const;
/** The trends screen, loaded when it is opened, and its chart with uPlot, loaded when there is a pen. */
const TRENDS_ENTRY = /^assets\/TrendsView-[\w-]+\.js$/;
const CHART_ENTRY = /^assets\/Chart-[\w-]+\.js$/;

const gzipKb = (path: string): number =>
  gzipSync(readFileSync(join(DIST, path)), { level: 9 }).length / 1_000;
const files = readdirSync(DIST, { recursive: true, encoding: "utf8" }).filter((path) => path.includes("."));
// Everything the page loads before it can show something: whatever index.html names, and what that imports at once.
const html = readFileSync(join(DIST, "index.html"), "utf8");
const started = files.filter((path) => html.includes(`/${path}"`));
const sum = (paths: string[]): number => paths.reduce((total, path) => total + gzipKb(path), 0);

/** Files a chunk imports at once, itself included, without those the page has already. */
function reached(path: string, seen = new Set<string>(started)): string[] {
  if (seen.has(path)) return [];
  seen.add(path);
  const imports = readFileSync(join(DIST, path), "utf8").matchAll(
    /(?:from|import)\s*["']\.\/([\w-]+\.js)["']/g,
  );
  return [path, ...[...imports].flatMap((match) => reached(`assets/${match[1]}`, seen))];
}

const screen = files.filter((path) => TRENDS_ENTRY.test(path)).flatMap((path) => reached(path));
const chart = files
  .filter((path) => CHART_ENTRY.test(path))
  .flatMap((path) => reached(path, new Set([...started, ...screen])));
const scripts = (paths: string[]) => paths.filter((path) => path.endsWith(".js"));
const sizes = {
  js: sum([...new Set(scripts(started).flatMap((path) => reached(path, new Set())))]),
  css: sum(started.filter((path) => path.endsWith(".css"))),
  trends: sum(screen),
  chart: sum(chart),
  precache: sum(files.filter((path) => path !== "service-worker.js")),
};
let over = false;
for (const name of ["js", "css", "trends", "chart", "precache"] as const) {
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
