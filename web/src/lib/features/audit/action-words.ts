/** What each action is called on the screen. Those that are only "a thing, and what became of it" are put together. */
const ACTION: Record<string, string> = {
  "access.foreignOrigin": "Refused: a page of another site asked",
  "access.forbidden": "Refused: a permission is missing",
  "access.others": "More sign-ins, counted together",
  "access.wrongClaimToken": "Refused: wrong claim token",
  "access.wrongKey": "Refused: wrong API key",
  "access.wrongSetupToken": "Refused: wrong set-up token",
  "audit.headMissing": "The newest entry known was not kept any more",
  "audit.lost": "Sign-ins and refusals that could not be kept",
  "certificate.refuse": "Machine's certificate refused",
  "certificate.trust": "Machine's certificate trusted",
  "command.send": "Command sent",
  "tag.select": "Value chosen to be written",
  "tag.agree": "Agreed to a write as the second person",
  "tag.write": "Write sent to the machine",
  "tag.written": "Outcome of a write",
  "tag.released": "Momentary value taken back late",
  "tag.stuck": "Momentary value not taken back",
  "write.refused": "Write refused",
  "gateway.sparkplug": "Gateway's Sparkplug settings changed",
  "config.apply": "Configuration applied",
  "config.draft": "Draft published",
  "config.import": "Tags or devices imported",
  "config.rollback": "Configuration taken back",
  "config.rollout": "Change rolled out in stages",
  "factor.add": "Way to sign in added",
  "factor.remove": "Way to sign in removed",
  "factor.rename": "Way to sign in renamed",
  "factor.renewRecoveryCodes": "Recovery codes made anew",
  "field.browse": "Device looked through",
  "field.connection": "Connection to a device tried out",
  "field.match": "Value searched in a device",
  "field.read": "Tags read at a device to try them out",
  "field.scan": "Network searched for devices",
  "gateway.claim": "Claim token made",
  "gateway.cloned": "Gateway believed to be two machines",
  "gateway.confirmConfiguration": "This hub's configuration confirmed",
  "gateway.supportBundle": "Support bundle made",
  "gateway.trust": "Gateway trusted again",
  "invitation.refused": "Invitation refused: wrong or too late",
  "kiosk.open": "Wall screen opened",
  "kiosk.refused": "Wall screen refused",
  "passkey.refused": "Sign-in refused: passkey not taken",
  "person.reset": "Password set anew by a link",
  "person.resetLink": "Link for a new password made",
  "quarantine.delete": "Frame in quarantine deleted",
  "quarantine.retry": "Frame in quarantine tried again",
  "refused.others": "More refusals, counted together",
  "retention.create": "Retention class added",
  "retention.delete": "Retention class deleted",
  "retention.drop": "Expired history dropped",
  "retention.edit": "Retention class changed",
  "sample.import": "Samples imported",
  "session.close": "Signed out",
  "session.end": "Session ended from elsewhere",
  "session.open": "Signed in",
  "session.refused": "Sign-in refused",
  "session.wrongCode": "Sign-in refused: wrong code",
  "session.wrongPin": "Sign-in refused: wrong PIN",
  "sso.refused": "Sign-in refused by the company's sign-in",
};
const VERB: Record<string, string> = {
  accept: "accepted",
  add: "added",
  cancel: "cancelled",
  close: "closed",
  confirm: "confirmed",
  create: "added",
  delete: "deleted",
  disable: "disabled",
  edit: "changed",
  enable: "enabled",
  end: "ended",
  enrol: "enrolled",
  label: "labelled",
  open: "opened",
  refused: "refused",
  remove: "removed",
  rename: "renamed",
  renew: "renewed",
  revoke: "revoked",
  unlock: "unlocked",
};
const NOUN: Record<string, string> = {
  annotation: "Note",
  apiKey: "API key",
  config: "Configuration",
  factor: "Way to sign in",
  profile: "Kind of machine",
  site: "Place",
  sso: "Company sign-in",
};

const known = (words: Record<string, string>, name: string): string | undefined =>
  Object.hasOwn(words, name) ? words[name] : undefined;

/** "trendView" → "Trend view"; names of fields too. */
export function nounWords(noun: string): string {
  const found = known(NOUN, noun);
  if (found !== undefined) return found;
  const words = noun.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The words this page has for an action; null for one of a newer hub. */
export function knownActionWords(action: string): string | null {
  const [noun = "", verb = ""] = action.split(".");
  const became = known(VERB, verb);
  return known(ACTION, action) ?? (became === undefined ? null : `${nounWords(noun)} ${became}`);
}

/** An action in words, also one this page does not know: never a code. */
export function actionWords(action: string): string {
  const [noun = "", ...rest] = action.split(".");
  const more = rest.map((part) => nounWords(part).toLowerCase()).join(" ");
  return knownActionWords(action) ?? `${nounWords(noun)}${more === "" ? "" : `: ${more}`}`;
}
