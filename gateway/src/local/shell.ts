import { durationWords } from "../supervisor/words.ts";
import type { Session } from "./access/sessions.ts";
import { type Html, html } from "./html.ts";
import type { LocalView } from "./view.ts";

/** How often a page renews itself where no script runs. */
const REFRESH_S = 5;

/** Hours, minutes and seconds of the gateway's own time zone, as on the clock beside the cabinet. */
export const clockText = (ms: number): string => new Date(ms).toTimeString().slice(0, 8);

/** Where a person stands: whose session, on which page. */
export interface Visit {
  session: Session;
  /** Path and search of this page. */
  path: string;
  view: LocalView;
}

interface Page {
  title: string;
  /** Stands in the tab; says nothing to strangers. */
  place: string;
  /** Tells the script that another page is shown at this address now, e.g. after the session has ended. */
  kind: "light" | "open";
  /** Address that renews this page without scripts; empty for a page with fields to fill in. */
  renewAt: string;
  head: Html;
  body: Html;
  foot: Html;
}

export function document({ title, place, kind, renewAt, head, body, foot }: Page): Html {
  const renew =
    renewAt === ""
      ? null
      : html`<noscript><meta http-equiv="refresh" content="${REFRESH_S};url=${renewAt}"></noscript>`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${renew}
<title>${title} – ${place}</title>
<link rel="stylesheet" href="/style.css">
<link rel="icon" href="data:,">
<script src="/live.js" defer></script>
</head>
<body data-kind="${kind}">
<p id="lost" role="status" hidden>This page has lost the gateway: what it shows is old.</p>
<header>
${head}
</header>
<main>
${body}
</main>
<footer>${foot}</footer>
</body>
</html>
`;
}

export const madeAt = (nowMs: number): Html =>
  html`<p data-live>Page made at <time datetime="${new Date(nowMs).toISOString()}">${clockText(nowMs)}</time></p>`;

/** The session's own word in a form: a page elsewhere cannot know it. */
export const formToken = (session: Session): Html =>
  html`<input type="hidden" name="token" value="${session.formToken}">`;

/** A form that is one button. */
export const button = (
  session: Session,
  action: string,
  word: string,
  fields: Readonly<Record<string, string>> = {},
): Html =>
  html`<form method="post" action="${action}">${formToken(session)}${Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}<button type="submit">${word}</button></form>`;

/** With an address that says: this page renewed itself, no person did. */
function renewOf(path: string): string {
  const url = new URL(path, "http://gateway");
  url.searchParams.set("renew", "1");
  return url.pathname + url.search;
}

/** A page for somebody who is signed in. */
export function page({ session, path, view }: Visit, title: string, body: Html, hasFields = false): Html {
  const link = (to: string, text: string) =>
    to === path.replace(/\?.*$/, "")
      ? html`<li><a href="${to}" aria-current="page">${text}</a></li>`
      : html`<li><a href="${to}">${text}</a></li>`;
  const links = session.mustChoose
    ? []
    : [
        link("/", "Status"),
        link("/tags", "Live tags"),
        link("/doctor", "Bus doctor"),
        link("/service", "Work"),
        link("/pin", "PIN"),
      ];
  const { nowMs, software } = view.status;
  const { told } = session;
  return document({
    title,
    place: view.gatewayName,
    kind: "open",
    renewAt: hasFields ? "" : renewOf(path),
    head: html`<h1>${view.gatewayName}</h1>
${madeAt(nowMs)}
<nav aria-label="Pages"><ul>${links}<li>${button(session, "/sign-out", "Sign out")}</li></ul></nav>`,
    body: html`${switches(view)}
${told === null || told.path !== path.replace(/\?.*$/, "") ? null : html`<p class="told ${told.ok ? "ok" : "fault"}" role="status"><span class="shape" aria-hidden="true">${told.ok ? "✓" : "✗"}</span> ${told.text}</p>`}
${body}`,
    foot: html`<p>${session.name} · ${software} · gateway ${view.gatewayId} · key ${view.fingerprint}</p>`,
  });
}

/** What somebody has switched and everybody at the machine must see. */
function switches({ work }: LocalView): Html {
  const lines = [
    work.commissioningLeftMs > 0
      ? html`<p class="switched"><strong>Commissioning mode is on</strong> (${work.commissioningBy}); it ends in ${durationWords(work.commissioningLeftMs)}.</p>`
      : null,
    work.lockout.on
      ? html`<p class="switched"><strong>Writes from afar are locked out</strong> (${work.lockout.by}).</p>`
      : null,
  ];
  return html`<div data-live>${lines.filter((line) => line !== null)}</div>`;
}
