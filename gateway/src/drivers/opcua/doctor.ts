import { type Diagnose, type Finding, type LineFacts, msWords } from "../../driver/doctor.ts";
import { CLOCK_OFF_MS, clockNote } from "./clock.ts";

/** One late message may be a moment of the network. */
const LATE_NEWS_MIN = 2;
/** A server that sends so much more seldom than asked has a limit of its own. */
const REVISED_FACTOR = 2;

/** What only an OPC UA server can be wrong about. */
export const diagnose: Diagnose = (facts) => [
  ...link(facts),
  ...clock(facts),
  ...publishing(facts),
  ...missing(facts),
];

const one = (finding: Omit<Finding, "units">): Finding[] => [{ ...finding, units: [] }];

/** Why the server does not take a session, by its own status. */
function link({ link: { state, context, message } }: LineFacts): Finding[] {
  const status = String(context.status ?? "");
  if (state === "up" || status === "") return [];
  const make = (kind: string, words: string, setting: string) =>
    one({ kind, level: "fault", words: `${words} (${status}).`, setting, weight: 1 });
  if (/^BadTooManySessions|^BadMaxConnectionsReached|^BadTcpNotEnoughResources/.test(status))
    return make(
      "link.sessions",
      "The server has no session left for us: end other clients, raise its limit of sessions, or set a shorter `sessionTimeoutMs`, so that sessions of links that broke end sooner",
      "sessionTimeoutMs",
    );
  if (/^BadInvalidTimestamp|^BadCertificateTimeInvalid|^BadCertificateIssuerTimeInvalid/.test(status))
    return make(
      "link.clock",
      "The clocks of server and gateway differ too much for a protected connection: set the server's clock, best by NTP",
      "",
    );
  if (/^BadSecurity(Policy|Mode)|^BadSecurityChecksFailed/.test(status))
    return make(
      "link.security",
      `${message.replace(/[.\s]+$/, "")}. Compare \`security\` and \`policy\` with what the server offers`,
      "policy",
    );
  return [];
}

function clock({ figures: { clockOffMs = 0 }, link: { state } }: LineFacts): Finding[] {
  const note = state === "up" && Math.abs(clockOffMs) >= CLOCK_OFF_MS ? clockNote(clockOffMs) : null;
  if (note === null) return [];
  const words = `${note} Set the server's clock, best by NTP: a protected connection may be refused one day.`;
  return one({ kind: "clock.off", level: "warn", words, setting: "", weight: 0.3 });
}

function publishing({ figures, settings }: LineFacts): Finding[] {
  const { lateNews = 0, latestNewsMs = 0, publishMs = 0, overflows = 0 } = figures;
  const asked = Number(settings.publishMs);
  const findings: Finding[] = [];
  if (lateNews >= LATE_NEWS_MIN)
    findings.push(
      ...one({
        kind: "publish.late",
        level: "warn",
        words: `The server's news came late ${lateNews} times, at worst after ${msWords(latestNewsMs)}: it has too much to do. Raise \`publishMs\`, or subscribe to fewer tags.`,
        setting: "publishMs",
        weight: 0.7,
      }),
    );
  if (publishMs > REVISED_FACTOR * asked)
    findings.push(
      ...one({
        kind: "publish.slow",
        level: "hint",
        words: `The server sends changes every ${msWords(publishMs)} at best, \`publishMs\` asks for ${msWords(asked)}: changes are seen that much later. Its own limit has to be changed at the server.`,
        setting: "publishMs",
        weight: 0.4,
      }),
    );
  if (overflows > 0)
    findings.push(
      ...one({
        kind: "queue.short",
        level: "warn",
        words: `The server threw ${overflows} values away before it sent them: raise \`queueMax\`, or lower \`publishMs\`.`,
        setting: "queueMax",
        weight: 0.6,
      }),
    );
  return findings;
}

function missing({ figures: { missing: count = 0 } }: LineFacts): Finding[] {
  if (count === 0) return [];
  const words = `The server does not know ${count} of the nodes that are subscribed. Compare their addresses by "Browse the server"; after a change of the server's program their namespace may be another one. They are asked for again and again.`;
  return one({ kind: "nodes.missing", level: "fault", words, setting: "", weight: 0.5 });
}
