import { durationWords } from "../supervisor/words.ts";
import { NAME_CHARS_MAX, type Refusal } from "./access/desk.ts";
import type { Lock } from "./access/tries.ts";
import { type Html, html } from "./html.ts";
import { ladder, type RungState, SHAPE } from "./ladder.ts";
import { document, madeAt } from "./shell.ts";
import type { LocalView } from "./view.ts";

/** What a stranger may see of a gateway: whether it works and whether it has its hub, and nothing else. */
export interface Light {
  works: boolean;
  hubUp: boolean;
}

export function lightOf(view: LocalView): Light {
  const [power, devices, buffer] = ladder(view);
  return { works: [power, devices, buffer].every((rung) => rung?.state !== "fault"), hubUp: view.hub.up };
}

export interface LightPage {
  view: LocalView;
  /** Why this neighbour may not try a PIN now. */
  lock: Lock | null;
  /** What came of the last try. */
  refusal: Refusal | null;
  name: string;
  /** False: everybody in this network can read along. */
  isPrivateLine: boolean;
}

const lamp = (state: RungState, name: string, word: string): Html =>
  html`<li class="${state}"><span class="shape" aria-hidden="true">${SHAPE[state]}</span><div><h3>${name}</h3>: <span class="word">${word}</span></div></li>`;

/** The page before anybody signed in. It does not even say whose gateway this is. */
export function lightPage({ view, lock, refusal, name, isPrivateLine }: LightPage): Html {
  const { works, hubUp } = lightOf(view);
  return document({
    title: "Sign in",
    place: "Millrace gateway",
    kind: "light",
    renewAt: "",
    head: html`<h1>Millrace gateway</h1>
${madeAt(view.status.nowMs)}`,
    body: html`<h2>How it stands</h2>
<ol class="ladder" data-live>${[
      works ? lamp("ok", "Gateway", "Working") : lamp("fault", "Gateway", "Not working"),
      hubUp ? lamp("ok", "Hub", "Connected") : lamp("warn", "Hub", "Not connected"),
    ]}</ol>
<h2>Sign in</h2>
${refusal === null ? null : html`<p class="told fault" role="alert"><span class="shape" aria-hidden="true">✗</span> ${refusalWords(refusal)}</p>`}
${lock === null ? signInForm(name) : html`<p class="told warn" data-live>${lockWords(lock)}</p>`}
${isPrivateLine ? null : html`<p>This line is not encrypted: others in this network can read the PIN along.</p>`}`,
    foot: html`<p>The PIN was shown when this gateway first started. It can be made anew at the machine.</p>`,
  });
}

const signInForm = (
  name: string,
): Html => html`<form method="post" action="/sign-in"><div><label for="name">Your name</label><input id="name" name="name" required maxlength="${NAME_CHARS_MAX}" autocomplete="username" value="${name}"></div>
<div><label for="pin">PIN</label><input id="pin" name="pin" type="password" required maxlength="128" autocomplete="current-password"></div><button type="submit">Sign in</button></form>`;

const lockWords = ({ scope, leftMs }: Lock): string =>
  scope === "address"
    ? `Too many wrong PINs from here. Try again in ${durationWords(leftMs)}.`
    : `Too many wrong PINs. Signing in is locked for ${durationWords(leftMs)}; at the machine itself it is not.`;

export function refusalWords(refusal: Refusal): string {
  switch (refusal.at) {
    case "wrong":
      return `That PIN is wrong. ${refusal.triesLeft} more ${refusal.triesLeft === 1 ? "try" : "tries"}.`;
    case "locked":
      return lockWords(refusal.lock);
    case "busy":
      return "Too many people sign in at the moment. Try again.";
    case "broken":
    case "unfit":
      return refusal.message;
  }
}
