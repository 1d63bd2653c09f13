import {
  BUS_BANDS_MS,
  type BusConnection,
  type BusFinding,
  type BusUnit,
  type BusWindow,
} from "@millrace/contract/wire/bus";
import { busReport } from "../doctor/report.ts";
import { durationWords } from "../supervisor/words.ts";
import { type Html, html } from "./html.ts";
import { SHAPE, shapeOf } from "./ladder.ts";
import { button, clockText, page, type Visit } from "./shell.ts";

const WINDOW_WORDS: Record<BusWindow, string> = { quarter: "Last 15 min", start: "Since the counters began" };
const LEVEL_SHAPE: Record<BusFinding["level"], string> = { fault: SHAPE.fault, warn: SHAPE.warn, hint: "i" };
const LEVEL_WORD: Record<BusFinding["level"], string> = { fault: "Fault", warn: "Warning", hint: "Hint" };
const BAR_PX = 48;

const windowOf = (text: string | null): BusWindow => (text === "start" ? "start" : "quarter");

/** All connections, the most urgent first; or one of them with its units. */
export function doctorPage(visit: Visit, search: URLSearchParams): Html {
  const window = windowOf(search.get("window"));
  const wanted = search.get("connection") ?? "";
  const report = busReport({ ...visit.view.bus, window });
  const one = report.connections.find(({ endpoint }) => endpoint === wanted);
  return page(
    visit,
    "Bus doctor",
    one === undefined
      ? overview(visit, report.connections, report.connectionsLeft, window)
      : detail(visit, one, window),
  );
}

const address = (window: BusWindow, endpoint = ""): string =>
  `/doctor?${new URLSearchParams({ ...(endpoint === "" ? {} : { connection: endpoint }), window })}`;

function windows(chosen: BusWindow, endpoint = ""): Html {
  const items = (Object.keys(WINDOW_WORDS) as BusWindow[]).map((window) =>
    window === chosen
      ? html`<li><a href="${address(window, endpoint)}" aria-current="true">${WINDOW_WORDS[window]}</a></li>`
      : html`<li><a href="${address(window, endpoint)}">${WINDOW_WORDS[window]}</a></li>`,
  );
  return html`<nav aria-label="Time"><ul>${items}</ul></nav>`;
}

function overview(
  { session }: Visit,
  connections: readonly BusConnection[],
  left: number,
  window: BusWindow,
): Html {
  if (connections.length === 0)
    return html`<h2>Bus doctor</h2><p data-live>No device is connected by this gateway yet.</p>`;
  return html`<h2>Bus doctor</h2>
${windows(window)}
<div data-live>${connections.map(
    (one) => html`<section><h3><a href="${address(window, one.endpoint)}">${one.endpoint}</a></h3>
<p>${shapeOf(one.linkState)} ${stateWords(one)} · ${sinceWords(one)}</p>
${findings(one)}</section>`,
  )}${left > 0 ? html`<p>${left} more connections without room here.</p>` : null}</div>
${button(session, "/doctor/reset", "Count anew", { connection: "" })}`;
}

const share = (part: number): string => `${(part * 100).toFixed(part > 0 && part < 0.1 ? 1 : 0)} %`;
const ms = (value: number | null): string =>
  value === null ? "—" : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;

const stateWords = (one: BusConnection): string =>
  one.linkState === "up" ? `Connected, bus time ${share(one.busyShare)}` : one.reason;

const sinceWords = ({ fromMs, reconnects, failedTries, messages }: BusConnection): string =>
  `since ${clockText(fromMs)}: ${reconnects} reconnects, ${failedTries} failed attempts${messageWords(messages)}`;

function messageWords(messages: BusConnection["messages"]): string {
  if (messages === undefined) return "";
  const last = messages.lastMs === null ? "none yet" : `the last at ${clockText(messages.lastMs)}`;
  return `, ${messages.count} messages (${messages.unreadable} not readable), ${last}`;
}

function findings(one: BusConnection): Html {
  if (one.findings.length === 0) return html`<p>Nothing is wrong by these figures.</p>`;
  return html`<ol class="ladder">${one.findings.map(
    ({ level, words, setting }) =>
      html`<li class="${level === "hint" ? "ok" : level}"><span class="shape" aria-hidden="true">${LEVEL_SHAPE[level]}</span><div><span class="word">${LEVEL_WORD[level]}</span>${setting === "" ? null : html` <span>Setting: ${setting}</span>`}<p class="next">${words}</p></div></li>`,
  )}</ol>`;
}

function detail({ session, view }: Visit, one: BusConnection, window: BusWindow): Html {
  return html`<p><a href="${address(window)}">All connections</a></p>
<h2 id="line">${one.endpoint}</h2>
${windows(window, one.endpoint)}
<div data-live><p>${shapeOf(one.linkState)} ${stateWords(one)} · ${sinceWords(one)} · counted for ${durationWords(view.bus.clock.nowMs() - one.countedSinceMs)}</p>
${findings(one)}
<div class="scroll" role="region" aria-labelledby="line" tabindex="0"><table class="cards">
<caption>What each unit did${one.unitsLeft > 0 ? `; ${one.unitsLeft} more have no room here` : ""}</caption>
<thead><tr><th scope="col">Unit</th>${COLUMNS.map(([name]) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${one.units.map(unitRow)}</tbody>
</table></div></div>
${button(session, "/doctor/reset", "Count anew for this connection", { connection: one.endpoint })}`;
}

const COLUMNS: readonly (readonly [string, (unit: BusUnit) => string | Html])[] = [
  ["Requests", ({ requests }) => String(requests)],
  [
    "Answered",
    ({ answers, requests }) => (requests === 0 ? "—" : `${answers} (${share(answers / requests)})`),
  ],
  ["Timeouts, late", ({ timeouts, late }) => `${timeouts}, ${late}`],
  ["Other ids, unfit", ({ wrongIds, garbled }) => `${wrongIds}, ${garbled}`],
  ["Retries", ({ retries }) => String(retries)],
  [
    "Refusals",
    ({ exceptions }) => exceptions.map(({ code, count }) => `${code} × ${count}`).join(", ") || "0",
  ],
  ["p50, p95, longest", ({ p50Ms, p95Ms, maxMs }) => html`${ms(p50Ms)}<br>${ms(p95Ms)}<br>${ms(maxMs)}`],
  ["Spread", ({ bands }) => spread(bands)],
  ["Bus time", ({ busyShare }) => share(busyShare)],
  ["Missed", ({ cycles, missed }) => `${missed} of ${cycles + missed}`],
];

function unitRow(unit: BusUnit): Html {
  const who = unit.unit === null ? "Device" : `Unit ${unit.unit}`;
  const names = unit.devices.map(({ name }) => name).join(", ") || "asked by a test only";
  const cells = COLUMNS.map(([name, of]) => html`<td class="n" data-label="${name}">${of(unit)}</td>`);
  return html`<tr><th scope="row">${who}<br>${names}</th>${cells}</tr>
`;
}

/** Answers by how long they took, as bars; the same in words for whoever cannot see them. */
function spread(bands: readonly number[]): Html | string {
  const most = Math.max(...bands);
  if (most === 0) return "—";
  const ends = [...BUS_BANDS_MS.map((end) => `to ${end} ms`), "longer"];
  const words = bands.flatMap((count, at) => (count === 0 ? [] : [`${count} ${ends[at]}`])).join(", ");
  const bars = bands.map((count, at) => {
    const height = count === 0 ? 0 : Math.max(2, Math.round((count / most) * BAR_PX));
    return html`<rect x="${at * 12}" y="${BAR_PX - height}" width="10" height="${height}" fill="currentColor"/>`;
  });
  return html`<svg width="${bands.length * 12}" height="${BAR_PX + 1}" role="img" aria-label="${words}"><title>${words}</title>${bars}<path d="M0 ${BAR_PX}.5H${bands.length * 12}" stroke="currentColor"/></svg>`;
}
