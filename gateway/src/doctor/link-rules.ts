import { type Finding, type LineFacts, settingOf, share } from "../driver/doctor.ts";
import { clause, durationWords, timesWords } from "../supervisor/words.ts";
import { DOCTOR } from "./thresholds.ts";

/** Setting most likely wrong, by the code of the trouble; names of all drivers, of which each has its own. */
const SETTING: Readonly<Record<string, readonly string[]>> = {
  "link.refused": ["port", "endpoint", "broker"],
  "link.unreachable": ["host", "endpoint", "broker"],
  "link.untrusted": ["serverFingerprint", "ca"],
  "link.denied": ["login", "user", "token"],
  "link.garbled": ["port", "endpoint", "broker"],
};

const ADVICE: Readonly<Record<string, string>> = {
  "link.refused": "the machine is there and takes no connection: is its service on, and the port right?",
  "link.unreachable":
    "power, network cable, address, the way there, and whether other programs hold all its connections",
  "link.untrusted": "compare the fingerprint and trust it at the hub",
  "link.denied": "the other side does not accept who we are",
  "link.garbled": "something else answers at this address, or the line disturbs what is sent",
  "setting.wrong": "correct the setting that is named",
};

export function linkFindings(facts: LineFacts): Finding[] {
  return [...down(facts), ...flaps(facts), ...silences(facts), ...messages(facts)];
}

function down(facts: LineFacts): Finding[] {
  const { state, code, message } = facts.link;
  if (state === "up" || state === "opening" || code === "") return [];
  const advice = ADVICE[code];
  const tries = facts.failedTries > 1 ? ` ${facts.failedTries} attempts failed.` : "";
  const words = `No connection: ${clause(message)}.${tries}${advice === undefined ? "" : ` Check: ${advice}`}`;
  return [
    {
      kind: "link.down",
      level: "fault",
      words,
      setting: settingOf(facts, ...(SETTING[code] ?? [])),
      units: [],
      weight: 1,
    },
  ];
}

function flaps(facts: LineFacts): Finding[] {
  if (facts.losses < DOCTOR.lossesMin) return [];
  const by = facts.lostBy === "" ? "" : ` The last time: ${clause(facts.lostBy)}.`;
  const words = `The connection was lost ${timesWords(facts.losses)} in ${durationWords(facts.spanMs)} and made anew.${by} Look at the cable and the switch, and whether another program takes the device's connections.`;
  return [{ kind: "connection.flaps", level: "warn", words, setting: "", units: [], weight: 0.9 }];
}

function silences(facts: LineFacts): Finding[] {
  if (facts.silences === 0) return [];
  const setting = settingOf(facts, "keepAliveMs");
  const words = `The device took the subscription and fell silent ${timesWords(facts.silences)}; the connection was made anew each time. It or the network is overloaded${setting === "" ? "" : `, or its signs of life come later than \`${setting}\` allows: raise it`}.`;
  return [{ kind: "connection.silent", level: "warn", words, setting, units: [], weight: 0.8 }];
}

/** What comes by itself, and what does not. */
function messages(facts: LineFacts): Finding[] {
  const { messages: count, unreadable, link, note } = facts;
  if (unreadable > 0) {
    const last = note === "" ? "" : ` The last trouble: ${clause(note)}.`;
    const words = `${unreadable} of ${count} messages held no value for a tag: compare what is sent with the tags' addresses and types.${last}`;
    return [
      {
        kind: "messages.unreadable",
        level: "warn",
        words,
        setting: "",
        units: [],
        weight: share(unreadable, count),
      },
    ];
  }
  const quiet = facts.heardAgoMs === null && facts.spanMs >= DOCTOR.quietMs;
  if (!facts.byMessages || link.state !== "up" || !quiet) return [];
  const words = `Connected for ${durationWords(facts.spanMs)}, and not one message came: does anybody send, and to these topics? Compare them letter by letter, also the login's rights at the broker.`;
  return [{ kind: "messages.none", level: "warn", words, setting: "", units: [], weight: 0.9 }];
}
