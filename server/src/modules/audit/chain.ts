import { createHash } from "node:crypto";
import type { AuditBreak, AuditFrom } from "@millrace/contract/api/audit";
import { canonicalJson } from "@millrace/contract/std/canonical-json";
import { type Anchor, holdsSignature } from "./anchor.ts";

/** A fact of the audit as it is hashed. `old` is null for something made, `new` for something removed. */
export interface AuditFact {
  atMs: number;
  who: string;
  action: string;
  subject: string;
  old: object | null;
  new: object | null;
  /** Left out or null for what the hub did by itself. */
  from?: AuditFrom | null | undefined;
}

export interface AuditRow extends AuditFact {
  no: number;
  prevHash: Uint8Array;
  hash: Uint8Array;
}

/** A row of the chain that was known at some time, by its number and hash. */
export interface Head {
  no: number;
  hash: Uint8Array;
}

/** What the first row has before it. */
export const CHAIN_START = new Uint8Array(32);

/**
 * SHA-256 over the hash before, the number and the whole fact. Where it came from is part of the text only when it is
 * known, so that rows older than that column keep their hash.
 */
export function chainHash(prevHash: Uint8Array, no: number, fact: AuditFact): Uint8Array {
  const text = canonicalJson({
    no,
    atMs: fact.atMs,
    who: fact.who,
    action: fact.action,
    subject: fact.subject,
    old: fact.old,
    new: fact.new,
    from: fact.from ?? undefined,
  });
  return new Uint8Array(createHash("sha256").update(prevHash).update(text).digest());
}

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.from(a).equals(b);

export interface Broken {
  no: number;
  why: AuditBreak;
}

export interface WalkOptions {
  /** Keys anchors may be signed with, base64url; null takes any and checks the signature alone. */
  keys: readonly string[] | null;
  /** Heads known from elsewhere: the hub's memory, a line of its log, an export of last year. */
  heads?: readonly Head[];
}

/**
 * Walks a chain row by row, in constant memory, and stops at the first thing that is wrong. Rows and anchors may come
 * from the database or from a file: nothing of what they say is believed.
 */
export class ChainWalk {
  #no = 0;
  #hash: Uint8Array = CHAIN_START;
  #anchors = 0;
  #newest: Anchor | null = null;
  #broken: Broken | null = null;
  readonly #heads: Map<number, Uint8Array>;
  readonly #keys: ReadonlySet<string> | null;

  constructor({ keys, heads = [] }: WalkOptions) {
    this.#keys = keys === null ? null : new Set(keys);
    this.#heads = new Map(heads.map(({ no, hash }) => [no, hash]));
  }

  /** Rows that hold. */
  get rows(): number {
    return this.#no;
  }

  get anchors(): number {
    return this.#anchors;
  }

  get newestAnchor(): Anchor | null {
    return this.#newest;
  }

  get broken(): Broken | null {
    return this.#broken;
  }

  /** @returns whether to go on */
  take(row: AuditRow): boolean {
    if (this.#broken !== null) return false;
    const no = this.#no + 1;
    if (row.no > no) return this.breakAt(no, "row.missing");
    if (row.no < no || !sameBytes(row.prevHash, this.#hash)) return this.breakAt(no, "row.order");
    const wanted = chainHash(this.#hash, no, row);
    if (!sameBytes(row.hash, wanted)) return this.breakAt(no, "row.changed");
    const head = this.#heads.get(no);
    if (head !== undefined && !sameBytes(head, wanted)) return this.breakAt(no, "anchor.differs");
    this.#no = no;
    this.#hash = wanted;
    return true;
  }

  /** An anchor of the row that was taken last; one of a later row means that rows are missing. @returns whether to go on */
  takeAnchor(anchor: Anchor): boolean {
    if (this.#broken !== null) return false;
    if (!holdsSignature(anchor)) return this.breakAt(Math.max(1, anchor.no), "anchor.signature");
    if (this.#keys !== null && !this.#keys.has(anchor.publicKey))
      return this.breakAt(Math.max(1, anchor.no), "anchor.key");
    if (anchor.no > this.#no) return this.breakAt(this.#no + 1, "end.missing");
    if (anchor.no < this.#no || !sameBytes(anchor.hash, this.#hash))
      return this.breakAt(Math.max(1, anchor.no), "anchor.differs");
    this.#anchors += 1;
    this.#newest = anchor;
    return true;
  }

  /** A row that comes after the finding: what seemed to be missing was only out of its place. */
  takeLater(row: { no: number }): void {
    if (this.#broken?.why === "row.missing" && row.no === this.#broken.no)
      this.#broken = { no: row.no, why: "row.order" };
  }

  /** After the last row: every head that is known must have been passed. */
  end(): void {
    if (this.#broken !== null) return;
    for (const no of this.#heads.keys()) if (no > this.#no) this.breakAt(this.#no + 1, "end.missing");
  }

  /** Notes what is wrong; the first finding stays. */
  breakAt(no: number, why: AuditBreak): false {
    this.#broken ??= { no, why };
    return false;
  }
}
