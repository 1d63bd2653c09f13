import type { AuditFrom } from "@millrace/contract/api/audit";
import type { Ms } from "@millrace/contract/std/clock";
import { addressBucket } from "../../http/address.ts";
import type { AuditFact } from "./chain.ts";
import { AUDIT } from "./limits.ts";

/**
 * Something that changed nothing and is yet worth an entry: a sign-in, its end, or somebody who was turned away. The two
 * kinds have entries of their own, so that a flood of refusals hides no sign-in.
 */
export interface AccessFact {
  kind: "access" | "refused";
  /** What happened: `session.open`, `access.forbidden`, … Facts alike in action, who, subject and address are one sort. */
  action: string;
  /** As the audit names them; `nobody` for a stranger. */
  who: string;
  /** The account, permission or gateway it was about: of a small set, or a flood of it ends in the rest. */
  subject: string;
  from: AuditFrom | null;
  /** More about the first of its sort: never a secret, never long. */
  facts?: Record<string, unknown>;
}

interface Sort {
  fact: AccessFact;
  more: number;
  sinceMs: Ms;
  windowMs: number;
  /** Monotonic. */
  endMs: number;
}

/**
 * Makes few entries out of many facts. The first of a sort is an entry at once. Those after it are counted into one
 * entry at the end of a window, which doubles up to an hour while they go on. New sorts beyond a number a minute are counted
 * together. Pure: time comes in.
 */
export class Tally {
  readonly #sorts = new Map<string, Sort>();
  #fresh = { access: 0, refused: 0 };
  #minuteEndMs = 0;

  /** @returns the entry to write at once; null when it was counted */
  take(fact: AccessFact, nowMs: Ms, monoMs: number): AuditFact | null {
    const address = fact.from === null ? "" : addressBucket(fact.from.address);
    const key = [fact.kind, fact.action, fact.who, fact.subject, address].join("\n");
    const found = this.#sorts.get(key);
    if (found !== undefined) return this.#count(found);
    if (monoMs >= this.#minuteEndMs) {
      this.#fresh = { access: 0, refused: 0 };
      this.#minuteEndMs = monoMs + AUDIT.accessWindowMs;
    }
    if (this.#fresh[fact.kind] >= AUDIT.accessNewMax || this.#sorts.size >= AUDIT.accessSortsMax)
      return this.#rest(fact, nowMs, monoMs);
    this.#fresh[fact.kind] += 1;
    this.#open(key, fact, nowMs, monoMs);
    const { action, who, subject, from, facts = {} } = fact;
    return { atMs: nowMs, who, action, subject, from, old: null, new: facts };
  }

  /** Entries of the windows that ended; of all of them with `all`. */
  due(nowMs: Ms, monoMs: number, all = false): AuditFact[] {
    const entries: AuditFact[] = [];
    for (const [key, sort] of this.#sorts) {
      if (!all && monoMs < sort.endMs) continue;
      if (sort.more === 0) {
        this.#sorts.delete(key);
        continue;
      }
      const { action, who, subject, from } = sort.fact;
      const since = new Date(sort.sinceMs).toISOString();
      entries.push({ atMs: nowMs, who, action, subject, from, old: null, new: { more: sort.more, since } });
      sort.more = 0;
      sort.sinceMs = nowMs;
      sort.windowMs = Math.min(sort.windowMs * 2, AUDIT.accessWindowMsMax);
      sort.endMs = monoMs + sort.windowMs;
    }
    return entries;
  }

  #count(sort: Sort): null {
    sort.more += 1;
    return null;
  }

  #open(key: string, fact: AccessFact, nowMs: Ms, monoMs: number): Sort {
    const windowMs = AUDIT.accessWindowMs;
    const sort = { fact, more: 0, sinceMs: nowMs, windowMs, endMs: monoMs + windowMs };
    this.#sorts.set(key, sort);
    return sort;
  }

  /** What is of too many sorts to keep apart; how many is kept, who is not. */
  #rest({ kind }: AccessFact, nowMs: Ms, monoMs: number): null {
    const key = `${kind}\nrest`;
    const fact: AccessFact = {
      kind,
      action: `${kind}.others`,
      who: "nobody",
      subject: "access:others",
      from: null,
    };
    return this.#count(this.#sorts.get(key) ?? this.#open(key, fact, nowMs, monoMs));
  }
}
