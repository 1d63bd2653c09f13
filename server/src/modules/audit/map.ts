import type { AuditEntry } from "@millrace/contract/api/audit";
import { instantOf } from "../instant.ts";
import { type Anchor, hexOf } from "./anchor.ts";
import type { AuditRow } from "./chain.ts";
import type { ListedRow } from "./store.ts";

export const mapEntry = (row: ListedRow): AuditEntry => ({
  no: row.no,
  at: instantOf(row.atMs),
  who: row.who,
  whoName: row.whoName,
  action: row.action,
  subject: row.subject,
  subjectName: row.subjectName,
  from: row.from ?? null,
  old: row.old as AuditEntry["old"],
  new: row.new as AuditEntry["new"],
  hash: hexOf(row.hash),
});

/** A row as a line of an export: everything the hash is made of, and both hashes. */
export const rowLine = (row: AuditRow) => ({
  kind: "row" as const,
  no: row.no,
  atMs: row.atMs,
  who: row.who,
  action: row.action,
  subject: row.subject,
  old: row.old,
  new: row.new,
  from: row.from ?? null,
  prevHash: hexOf(row.prevHash),
  hash: hexOf(row.hash),
});

export const anchorLine = <K extends "anchor" | "end">(kind: K, anchor: Anchor) => ({
  kind,
  no: anchor.no,
  hash: hexOf(anchor.hash),
  atMs: anchor.atMs,
  hubId: anchor.hubId,
  publicKey: anchor.publicKey,
  signature: anchor.signature,
});
