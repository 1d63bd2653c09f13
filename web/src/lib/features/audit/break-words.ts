import type { AuditBreak } from "@millrace/contract/api/audit";

/** What is wrong with the first entry that does not hold. */
export const BREAK: Record<AuditBreak, string> = {
  "row.changed": "what it says was altered after it was written",
  "row.missing": "it is missing, and later ones are there",
  "row.order": "it does not follow the one before it: entries were moved, taken out or put in",
  "row.unreadable": "it cannot be read",
  "end.missing": "the hub knew it, and the audit now ends before it",
  "anchor.differs": "it is not the one the hub knew: the audit was written anew",
  "anchor.signature": "the signature over it is not genuine",
  "anchor.key": "the signature over it was made with a key that is not this hub's",
};
