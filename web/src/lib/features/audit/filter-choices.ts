import { actionWords, nounWords } from "./action-words.ts";
import type { AuditFilter } from "./audit-filter.ts";
import { whoWords } from "./audit-words.ts";

/** What the hub is asked for, and what the person reads. */
export interface Choice {
  value: string;
  label: string;
}
export type ChoiceField = "action" | "who" | "subject";

const THINGS: Record<string, string> = {
  device: "Devices",
  gateway: "Gateways",
  profile: "Kinds of machines",
  site: "Places",
  person: "People",
  role: "Roles",
  invitation: "Invitations",
  apiKey: "API keys",
  sharedDevice: "Shared devices",
  config: "Configuration",
  draft: "Drafts",
  retention: "Retention classes",
  quarantine: "Frames in quarantine",
  trendView: "Trend views",
  annotation: "Notes",
};
const all = (things: Record<string, string>, mark: string): Choice[] =>
  Object.entries(things).map(([kind, label]) => ({ value: `${kind}${mark}`, label }));

const CHOICES: Record<ChoiceField, readonly Choice[]> = {
  action: [
    { value: "", label: "Anything" },
    ...all({ session: "Sign-ins and sessions", factor: "Ways to sign in", access: "Refused requests" }, ".*"),
    ...all(THINGS, ".*"),
    ...all(
      { command: "Commands", field: "Tries at devices", sample: "Imports of samples", audit: "The audit" },
      ".*",
    ),
  ],
  who: [
    { value: "", label: "Anybody" },
    ...all({ person: "People", apiKey: "API keys", gateway: "Gateways" }, ":*"),
    { value: "nobody", label: "Somebody unknown" },
    { value: "system", label: "The hub itself" },
    { value: "hub:*", label: "The hub's regular jobs" },
    { value: "setup", label: "The set-up link" },
  ],
  subject: [
    { value: "", label: "Anything" },
    ...all(THINGS, ":*").filter(({ value }) => value !== "quarantine:*"),
    ...all(
      { frame: "Frames in quarantine", permission: "Permissions that were missing", hub: "This hub" },
      ":*",
    ),
  ],
};

/** One that is not on the list: a single thing or person, chosen at an entry, or written into the address. */
function wordsOf(field: ChoiceField, value: string): string {
  if (field === "action") return actionWords(value.replace(/[.*]+$/, ""));
  const [kind = "", id = ""] = value.split(":");
  if (id === "") return field === "who" ? whoWords({ who: value, whoName: null }) : nounWords(kind);
  return `One ${kind === "apiKey" ? "API key" : nounWords(kind).toLowerCase()}`;
}

/** What a field offers, with what is chosen now among it. */
export function choicesOf(field: ChoiceField, filter: AuditFilter): readonly Choice[] {
  const choices = CHOICES[field];
  const value = filter[field];
  return choices.some((choice) => choice.value === value)
    ? choices
    : [...choices, { value, label: wordsOf(field, value) }];
}
