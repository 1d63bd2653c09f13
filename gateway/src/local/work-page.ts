import type { DeviceSupervisor } from "../supervisor/device.ts";
import { durationWords } from "../supervisor/words.ts";
import { PIN } from "./access/pin.ts";
import { ARMING, COMMISSIONING } from "./held-switch.ts";
import { type Html, html } from "./html.ts";
import { DEVICE_WORD, shapeOf } from "./ladder.ts";
import { button, clockText, formToken, page, type Visit } from "./shell.ts";

const MINUTES = COMMISSIONING.ms / 60_000;
const ARMED_MINUTES = ARMING.ms / 60_000;

/** What a person at the machine may switch and do. */
export function workPage(visit: Visit): Html {
  const { view, session } = visit;
  const on = view.work.commissioningLeftMs > 0;
  return page(
    visit,
    "Work",
    html`<section data-live><h2>Commissioning mode</h2>
<p>${on ? `On, for ${durationWords(view.work.commissioningLeftMs)} more.` : `Off. While it is on, for ${MINUTES} min, devices can be tried and restarted from here; the hub is told.`}</p>
${on ? html`<div class="buttons">${button(session, "/service/end", "End it now")}${button(session, "/service/begin", `${MINUTES} min from now`)}</div>` : button(session, "/service/begin", "Switch it on")}
</section>
<section data-live><h2>Writes from afar</h2>
${lockoutPart(visit)}
</section>
<section data-live><h2 id="devices">Devices</h2>
${on ? html`<ul class="devices">${view.devices.map((device) => deviceItem(visit, device))}</ul>` : html`<p>They can be tried and restarted while commissioning mode is on.</p>`}
</section>`,
  );
}

function lockoutPart({ view, session }: Visit): Html {
  const { on, by, sinceMs } = view.work.lockout;
  return on
    ? html`<p>Locked out by ${by} since ${new Date(sinceMs).toISOString().slice(0, 10)} ${clockText(sinceMs)}. Nothing is written to a machine from afar until it is released here, also after a restart.</p>${button(session, "/service/release", "Release")}`
    : html`<p>Allowed as far as the hub allows them. Lock them out while somebody has a hand in a machine.</p>${button(session, "/service/lockout", "Lock out")}${armingPart(view.work.armedLeftMs, session)}`;
}

function armingPart(leftMs: number, session: Visit["session"]): Html {
  return leftMs > 0
    ? html`<p><strong>Armed</strong> for ${durationWords(leftMs)} more.</p>${button(session, "/service/disarm", "Disarm")}`
    : html`<p>What asks for somebody at the machine is written only while it is armed here. Arm it when you see that it may be written.</p>${button(session, "/service/arm", `Arm for ${ARMED_MINUTES} min`)}`;
}

function deviceItem({ session }: Visit, supervisor: DeviceSupervisor): Html {
  const { linkState, reason, code } = supervisor.status();
  const { deviceId, name } = supervisor.device;
  return html`<li><h3>${name}</h3><p>${shapeOf(linkState)} ${DEVICE_WORD[linkState]}${code === "" ? null : html`: ${reason}`}<br>${supervisor.endpoint()}</p><div class="buttons">${button(session, "/service/test", `Test the connection of ${name}`, { deviceId })}${button(session, "/service/restart", `Restart the link of ${name}`, { deviceId })}</div></li>
`;
}

/** Choosing a PIN; with a first one, the only page there is. */
export function pinPage(visit: Visit): Html {
  const { session } = visit;
  const present = session.mustChoose
    ? null
    : html`<div><label for="present">Present PIN</label><input id="present" name="present" type="password" required maxlength="128" autocomplete="current-password"></div>`;
  return page(
    visit,
    "PIN",
    html`<h2>${session.mustChoose ? "Choose a PIN of your own" : "Choose another PIN"}</h2>
<p>${session.mustChoose ? "The first PIN was shown on a console, where others may have read it. " : "Everybody else is signed out. "}At least ${PIN.charsMin} digits or letters. The next technician needs it too.</p>
<form method="post" action="/pin" class="upright">${formToken(session)}${present}<div><label for="next">New PIN</label><input id="next" name="next" type="password" required minlength="${PIN.charsMin}" maxlength="${PIN.charsMax}" autocomplete="new-password"></div>
<div><label for="again">New PIN again</label><input id="again" name="again" type="password" required minlength="${PIN.charsMin}" maxlength="${PIN.charsMax}" autocomplete="new-password"></div><button type="submit">Take this PIN</button></form>`,
    true,
  );
}
