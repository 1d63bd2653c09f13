import { qualityLevel, qualityName } from "@millrace/contract/vocabulary/quality";
import { staleAfterMs } from "@millrace/contract/vocabulary/tag";
import { type TagValue, valueToJson } from "@millrace/contract/vocabulary/value";
import type { TagView } from "../scan/columns.ts";
import type { DeviceSupervisor } from "../supervisor/device.ts";
import { durationWords } from "../supervisor/words.ts";
import { type Html, html } from "./html.ts";
import { ladder, nextStepOf, type Rung, SHAPE } from "./ladder.ts";
import type { LocalView } from "./view.ts";

/** Most tags on one page: more cannot be read, and a phone must draw it. */
export const TAG_ROWS_MAX = 200;
const SEARCH_CHARS_MAX = 100;
const REFRESH_S = 5;

/** Hours, minutes and seconds of the gateway's own time zone, as on the clock beside the cabinet. */
const clockText = (ms: number): string => new Date(ms).toTimeString().slice(0, 8);

const sinceText = (ms: number, nowMs: number): string => {
  const days = nowMs - ms > 86_400_000 ? `${new Date(ms).toISOString().slice(0, 10)} ` : "";
  return `since ${days}${clockText(ms)} (${durationWords(nowMs - ms)})`;
};

function page(view: LocalView, path: string, title: string, body: Html): Html {
  const link = (to: string, text: string) =>
    to === path
      ? html`<li><a href="${to}" aria-current="page">${text}</a></li>`
      : html`<li><a href="${to}">${text}</a></li>`;
  const { nowMs, software } = view.status;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<noscript><meta http-equiv="refresh" content="${REFRESH_S}"></noscript>
<title>${title} – ${view.gatewayName}</title>
<link rel="stylesheet" href="/style.css">
<link rel="icon" href="data:,">
<script src="/live.js" defer></script>
</head>
<body>
<p id="lost" role="status" hidden>This page has lost the gateway: what it shows is old.</p>
<header>
<h1>${view.gatewayName}</h1>
<p data-live>Page made at <time datetime="${new Date(nowMs).toISOString()}">${clockText(nowMs)}</time></p>
<nav aria-label="Pages"><ul>${link("/", "Status")}${link("/tags", "Live tags")}</ul></nav>
</header>
<main>
${body}
</main>
<footer><p>${software} · gateway ${view.gatewayId} · key ${view.fingerprint}</p></footer>
</body>
</html>
`;
}

export function statusPage(view: LocalView): Html {
  const rows = view.devices.map((device) => deviceRow(device, view.status.nowMs));
  return page(
    view,
    "/",
    "Status",
    html`<h2>From the mains to the hub</h2>
<ol class="ladder" data-live>${ladder(view).map((rung) => rungItem(rung, view.status.nowMs))}</ol>
<h2 id="devices">Devices</h2>
<div class="scroll" role="region" aria-labelledby="devices" tabindex="0"><table class="cards" data-live>
<caption>${rows.length} ${rows.length === 1 ? "device" : "devices"} of manifest ${view.status.manifestRev}</caption>
<thead><tr><th scope="col">Device</th><th scope="col">State</th><th scope="col">Endpoint</th><th scope="col">Cycles</th><th scope="col">Missed</th><th scope="col">Round trip</th><th scope="col">Tags good / bad</th><th scope="col">Last good</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>`,
  );
}

function rungItem(rung: Rung, nowMs: number): Html {
  const since = rung.sinceMs === null ? null : html` <span>${sinceText(rung.sinceMs, nowMs)}</span>`;
  return html`<li class="${rung.state}"><span class="shape" aria-hidden="true">${SHAPE[rung.state]}</span><div><h3>${rung.name}</h3>: <span class="word">${rung.word}</span>${since}
${rung.numbers === "" ? null : html`<p>${rung.numbers}</p>`}${rung.cause === "" ? null : html`<p>${rung.cause}</p>`}${rung.nextStep === "" ? null : html`<p class="next"><strong>Next step:</strong> ${rung.nextStep}</p>`}</div></li>`;
}

const DEVICE_WORD = {
  up: "Answers",
  opening: "Starting",
  waiting: "Does not answer",
  down: "Out of service",
};

function deviceRow(supervisor: DeviceSupervisor, nowMs: number): Html {
  const d = supervisor.status();
  const shape = d.linkState === "up" ? SHAPE.ok : d.linkState === "opening" ? SHAPE.warn : SHAPE.fault;
  const why =
    d.code === "" ? null : html`<br>${d.reason}<br><strong>Next step:</strong> ${nextStepOf(d.code)}`;
  const link = `/tags?q=${encodeURIComponent(supervisor.device.path)}`;
  return html`<tr><th scope="row"><a href="${link}">${supervisor.device.name}</a></th><td>${shape} ${DEVICE_WORD[d.linkState]} ${sinceText(d.sinceMs, nowMs)}${why}</td><td data-label="Endpoint">${supervisor.endpoint()}</td><td class="n" data-label="Cycles">${d.cycles}</td><td class="n" data-label="Missed">${d.cyclesMissed}</td><td class="n" data-label="Round trip">${d.roundTripMs === null ? "—" : `${d.roundTripMs.toFixed(1)} ms`}</td><td class="n" data-label="Tags good / bad">${d.tagsGood} / ${d.tagsBad}</td><td class="n" data-label="Last good">${d.lastGoodMs === null ? "never" : clockText(d.lastGoodMs)}</td></tr>
`;
}

/** Tags whose path, name or address holds the text; of all devices, bounded. */
export function tagsPage(view: LocalView, search: string): Html {
  const wanted = search.slice(0, SEARCH_CHARS_MAX);
  const { rows, found } = findTags(view, wanted.toLowerCase());
  const caption =
    found > rows.length ? `The first ${rows.length} of ${found} tags; search to see others` : `${found} tags`;
  return page(
    view,
    "/tags",
    "Live tags",
    html`<h2 id="tags">Live tags</h2>
<form method="get" action="/tags" role="search"><div><label for="q">Path, name, address or quality</label><input id="q" name="q" type="search" maxlength="${SEARCH_CHARS_MAX}" value="${wanted}"></div><button type="submit">Search</button></form>
<div class="scroll" role="region" aria-labelledby="tags" tabindex="0"><table class="cards" data-live>
<caption>${caption}</caption>
<thead><tr><th scope="col">Tag</th><th scope="col">Value</th><th scope="col">Unit</th><th scope="col">Quality</th><th scope="col">Age</th><th scope="col">Address</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>`,
  );
}

function findTags(view: LocalView, wanted: string): { rows: Html[]; found: number } {
  const rows: Html[] = [];
  let found = 0;
  for (const supervisor of view.devices) {
    const { columns } = supervisor;
    const wrong = supervisor.wrongAddresses();
    columns.tags.forEach((tag, index) => {
      const row = columns.view(index);
      const text = `${tag.path}\n${tag.name}\n${tag.address}\n${row.timeMs === null ? "" : qualityName(row.quality)}`;
      if (!text.toLowerCase().includes(wanted)) return;
      found++;
      if (rows.length < TAG_ROWS_MAX) rows.push(tagRow(row, wrong.get(tag.tagNo) ?? "", view.status.nowMs));
    });
  }
  return { rows, found };
}

const valueText = (value: TagValue): string => (value === null ? "—" : String(valueToJson(value)));

/** The state grammar of every screen: live, stale, bad, uncertain, never received; shape and word, not colour alone. */
function valueCell(row: TagView, nowMs: number): Html {
  if (row.timeMs === null) return html`— Waiting for first value`;
  if (qualityLevel(row.quality) === "bad") {
    const last =
      row.goodMs === null ? "" : `[${valueText(row.goodValue)}] last good ${clockText(row.goodMs)}`;
    return html`<span class="bad">? ${last}</span>`;
  }
  const stale = nowMs - row.timeMs > staleAfterMs(Math.max(row.tag.heartbeatMs, row.tag.scanMs));
  if (stale) return html`<span class="stale">◷ ${valueText(row.value)}</span>`;
  if (row.quality !== 0) return html`<span class="uncertain">${valueText(row.value)} U</span>`;
  return html`${valueText(row.value)}`;
}

function tagRow(row: TagView, wrong: string, nowMs: number): Html {
  const { tag } = row;
  const age = row.timeMs === null ? "—" : durationWords(nowMs - row.timeMs);
  const quality = row.timeMs === null ? "—" : qualityName(row.quality);
  return html`<tr><th scope="row">${tag.path}</th><td class="n" data-label="Value">${valueCell(row, nowMs)}</td><td data-label="Unit">${tag.unit}</td><td data-label="Quality">${quality}${wrong === "" ? null : html`<br>${wrong}`}</td><td class="n" data-label="Age">${age}</td><td data-label="Address">${tag.address}</td></tr>
`;
}
