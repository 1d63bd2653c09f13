import { qualityLevel, qualityName } from "@millrace/contract/vocabulary/quality";
import { staleAfterMs } from "@millrace/contract/vocabulary/tag";
import { type TagValue, valueToJson } from "@millrace/contract/vocabulary/value";
import type { TagView } from "../scan/columns.ts";
import type { DeviceSupervisor } from "../supervisor/device.ts";
import { durationWords } from "../supervisor/words.ts";
import { type Html, html } from "./html.ts";
import { DEVICE_WORD, ladder, nextStepOf, type Rung, SHAPE, shapeOf } from "./ladder.ts";
import { clockText, page, type Visit } from "./shell.ts";
import { sparkplugRung } from "./sparkplug-rung.ts";
import type { LocalView } from "./view.ts";

/** Most tags on one page: more cannot be read, and a phone must draw it. */
export const TAG_ROWS_MAX = 200;
const SEARCH_CHARS_MAX = 100;

const sinceText = (ms: number, nowMs: number): string => {
  const days = nowMs - ms > 86_400_000 ? `${new Date(ms).toISOString().slice(0, 10)} ` : "";
  return `since ${days}${clockText(ms)} (${durationWords(nowMs - ms)})`;
};

export function statusPage(visit: Visit): Html {
  const { view } = visit;
  const rows = view.devices.map((device) => deviceRow(device, view.status.nowMs));
  return page(
    visit,
    "Status",
    html`<h2>From the mains to the hub</h2>
<ol class="ladder" data-live>${ladder(view).map((rung) => rungItem(rung, view.status.nowMs))}</ol>
${besides(view)}<h2 id="devices">Devices</h2>
<div class="scroll" role="region" aria-labelledby="devices" tabindex="0"><table class="cards" data-live>
<caption>${rows.length} ${rows.length === 1 ? "device" : "devices"} of manifest ${view.status.manifestRev}</caption>
<thead><tr><th scope="col">Device</th><th scope="col">State</th><th scope="col">Endpoint</th><th scope="col">Cycles</th><th scope="col">Missed</th><th scope="col">Round trip</th><th scope="col">Tags good / bad</th><th scope="col">Last good</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>`,
  );
}

/** What this gateway tells others than its hub. */
function besides({ status }: LocalView): Html | null {
  if (status.sparkplug === undefined) return null;
  const rung = sparkplugRung(status.sparkplug, clockText);
  return html`<h2>Besides the hub</h2>
<ol class="ladder" data-live>${rungItem(rung, status.nowMs)}</ol>
`;
}

function rungItem(rung: Rung, nowMs: number): Html {
  const since = rung.sinceMs === null ? null : html` <span>${sinceText(rung.sinceMs, nowMs)}</span>`;
  return html`<li class="${rung.state}"><span class="shape" aria-hidden="true">${SHAPE[rung.state]}</span><div><h3>${rung.name}</h3>: <span class="word">${rung.word}</span>${since}
${rung.numbers === "" ? null : html`<p>${rung.numbers}</p>`}${rung.cause === "" ? null : html`<p>${rung.cause}</p>`}${rung.nextStep === "" ? null : html`<p class="next"><strong>Next step:</strong> ${rung.nextStep}</p>`}</div></li>`;
}

function deviceRow(supervisor: DeviceSupervisor, nowMs: number): Html {
  const d = supervisor.status();
  const why =
    d.code === "" ? null : html`<br>${d.reason}<br><strong>Next step:</strong> ${nextStepOf(d.code)}`;
  const link = `/tags?q=${encodeURIComponent(supervisor.device.path)}`;
  return html`<tr><th scope="row"><a href="${link}">${supervisor.device.name}</a></th><td>${shapeOf(d.linkState)} ${DEVICE_WORD[d.linkState]} ${sinceText(d.sinceMs, nowMs)}${why}</td><td data-label="Endpoint">${supervisor.endpoint()}</td><td class="n" data-label="Cycles">${d.cycles}</td><td class="n" data-label="Missed">${d.cyclesMissed}</td><td class="n" data-label="Round trip">${d.roundTripMs === null ? "—" : `${d.roundTripMs.toFixed(1)} ms`}</td><td class="n" data-label="Tags good / bad">${d.tagsGood} / ${d.tagsBad}</td><td class="n" data-label="Last good">${d.lastGoodMs === null ? "never" : clockText(d.lastGoodMs)}</td></tr>
`;
}

/** Tags whose path, name or address holds the text; of all devices, bounded. */
export function tagsPage(visit: Visit, search: string): Html {
  const { view } = visit;
  const wanted = search.slice(0, SEARCH_CHARS_MAX);
  const { rows, found } = findTags(view, wanted.toLowerCase());
  const caption =
    found > rows.length ? `The first ${rows.length} of ${found} tags; search to see others` : `${found} tags`;
  return page(
    visit,
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
