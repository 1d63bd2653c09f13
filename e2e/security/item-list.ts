/** One way in that is tried, and what must come of it. */
export interface Item {
  id: string;
  tried: string;
  expected: string;
}

const item = (id: string, tried: string, expected: string): Item => ({ id, tried, expected });

/** The fifty ways in that this project judges itself by. A test proves one when its name begins with `S07:` or `S07, S08:`. */
export const ITEMS: readonly Item[] = [
  item(
    "S01",
    "a page of another site opens a socket with a person's cookie",
    "403, no socket, an audit entry",
  ),
  item(
    "S02",
    "a browser's socket without Origin; a gateway's socket with a cookie",
    "403; the cookie counts for nothing",
  ),
  item(
    "S03",
    "role taken, signed out or disabled while a socket is open",
    "closed within 5 s, no later value",
  ),
  item("S04", "tags of another place asked for, by id, name or wildcard", "an error, and no value"),
  item(
    "S05",
    "1,000 messages a second or 10,000 subscriptions on one socket",
    "slowed, then closed; others notice nothing",
  ),
  item("S06", "a message that unpacks to far more, or of 2 MiB", "closed; memory stays bounded"),
  item("S07", "plain http", "API refused, pages redirected, HSTS"),
  item("S08", "any answer, also errors and files", "CSP without inline, nosniff, Referrer-Policy"),
  item("S09", "flags of the session cookie", "__Host-, Secure, HttpOnly, SameSite"),
  item(
    "S10",
    "a form of another site; JSON as text; a GET that changes something",
    "403; there is no such GET",
  ),
  item("S11", "Origin null, look-alike hosts, a reflected origin", "no Access-Control-Allow-Origin"),
  item("S12", "1,000 passwords on one account", "slowed from the 5th; at most 20 checked an hour"),
  item(
    "S13",
    "guesses from one IPv6 network, other spellings, forged headers",
    "one bucket; the header counts for nothing",
  ),
  item("S14", "a known and an unknown person with a wrong password", "same words, same time"),
  item("S15", "a session id chosen before signing in", "a new one afterwards, the old one dead"),
  item("S16", "a cookie used again after sign-out, new password, disabling", "401 everywhere"),
  item("S17", "password right, second factor not given", "401 on everything protected"),
  item("S18", "an API key for somebody else, without a session", "401"),
  item("S19", "a passkey of another origin, a replayed challenge, no user check", "refused, in the audit"),
  item("S20", "200 sign-ins at once with passwords of 1 MB", "400; memory bounded, others answered"),
  item("S21", "default accounts and passwords on a fresh hub", "there are none; a one-time link only"),
  item("S22", "every route with every role and a foreign place", "403 or 404; a route without a rule fails"),
  item("S23", "a role or place smuggled into an edit", "ignored or 422; nothing changed"),
  item("S24", "guessed ids of things that are kept", "404"),
  item(
    "S25",
    "writing without the right, at a foreign place, out of limits",
    "403 at the hub and a refusal at the gateway",
  ),
  item("S26", "a command replayed, late, older or changed", "refused; the machine is not touched"),
  item("S27", "markup and scripts in names, units, texts of machines", "shown as text everywhere"),
  item("S28", "SQL in filters, orders and searches", "422; names come from a fixed list"),
  item("S29", "__proto__ and constructor.prototype in any input", "refused; no object is changed"),
  item("S30", "dots, encodings, links and NUL in file names", "404; a file outside is never read"),
  item("S31", "an archive that unpacks to too much or elsewhere", "refused before unpacking"),
  item("S32", "expressions that never end", "refused or stopped; polling is not disturbed"),
  item("S33", "a rule that reaches for the program around it", "no such thing can be said"),
  item("S34", "a webhook into the hub's own network", "refused when saved and when connecting"),
  item("S35", "line breaks and marks in logs, formulas in CSV", "escaped"),
  item("S36", "JSON too deep, doubled keys, odd numbers, 130 MiB", "4xx; at most 1 MiB is read"),
  item("S37", "an inner error that holds an address with a password", "a general text and an id"),
  item("S38", "a password in the wrong type", "the field is named, the value never"),
  item("S39", "planted secrets, then everything that leaves searched", "no find"),
  item("S40", "a claim token used twice, expired, guessed, raced for", "one winner, the rest the same 403"),
  item("S41", "a hello replayed, for another hub, with another key", "closed, the same answer for all"),
  item("S42", "a key that was revoked, at every door", "refused within 5 s"),
  item("S43", "MQTT without password, topics of others, wildcards", "refused, nothing delivered"),
  item(
    "S44",
    "an update that is unsigned, older or for other hardware",
    "refused; the running version stays",
  ),
  item("S45", "the gateway's page without PIN, wrong PIN, foreign host", "a light only; locked; 421; 403"),
  item("S46", "a port scan, 10,000 idle sockets, slow headers", "only the named ports; still serving"),
  item(
    "S47",
    "OPC UA without security or with an unknown certificate",
    "refused unless a named person allows it",
  ),
  item("S48", "a backup changed, cut, older or of elsewhere", "refused before anything is restored"),
  item(
    "S49",
    "the audit changed in SQL; its disk full",
    "found within a day; writing stops, watching goes on",
  ),
  item(
    "S50",
    "a dependency with a known flaw, or outside the lock",
    "the tests fail; a bill of materials each release",
  ),
];

/** An item that is not, or not wholly, proved yet: with which feature it will be, and what is open. */
export interface Pending {
  feature: string;
  why: string;
  /** True when tests prove a part of it already and `why` says what is left. */
  part?: true;
}

/** May only shrink: an entry whose item has tests, and which names no rest, fails. */
export const PENDING: Readonly<Record<string, Pending>> = {
  S27: { feature: "notifications and reports", why: "mail, push and PDF do not exist yet", part: true },
  S31: { feature: "packages", why: "no archive is taken in yet" },
  S32: { feature: "rules and functions", why: "no expression of people is run yet" },
  S33: { feature: "rules and functions", why: "no expression of people is run yet" },
  S34: { feature: "outbound targets", why: "the hub calls no address of people's choice yet" },
  S39: { feature: "notifications and reports", why: "push does not exist yet", part: true },
  S43: {
    feature: "MQTT",
    why: "the hub has no MQTT carrier yet; the gateway's own broker is tested",
    part: true,
  },
  S44: { feature: "updates", why: "a gateway is updated by its operator, not by the hub, so far" },
  S48: { feature: "backups", why: "the hub makes no backups yet" },
};
