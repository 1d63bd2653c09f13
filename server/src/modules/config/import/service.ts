import type { ConfigPlan } from "@millrace/contract/api/config";
import { AppError } from "@millrace/contract/error/app-error";
import type { Db } from "../../../db/client.ts";
import { inTransaction } from "../../../db/transaction.ts";
import type { Principal } from "../../../http/principal.ts";
import type { ChangeDeps } from "../../change.ts";
import { retentionClassNames } from "../../retention/service.ts";
import { resolveDocument } from "../resolve.ts";
import { type PublishOptions, publish } from "../service.ts";
import { loadState } from "../state-store.ts";
import { devicesFragment } from "./devices.ts";
import { type CsvForm, exportDevices, exportTags } from "./export.ts";
import type { Fragment, ImportContext } from "./fragment.ts";
import { boundedNotes, cellsError, explained } from "./problem.ts";
import type { ReadSheet, Sheet } from "./sheet.ts";
import { tagsFragment } from "./tags.ts";

export interface ImportOptions extends PublishOptions {
  /** Profile of rows that name none. */
  profile: string | null;
  prune: boolean;
}

const FRAGMENTS: Record<Sheet["kind"], (sheet: Sheet, context: ImportContext) => Fragment> = {
  tags: tagsFragment,
  devices: devicesFragment,
};

/** A prune by a file without a row would take everything away; whoever wants that says so by a document. */
function checkRows(sheet: Sheet, prune: boolean): void {
  if (sheet.rows.length > 0 || !prune) return;
  throw new AppError("request.invalid", "query/prune: the file has no row that could stay.");
}

/**
 * Makes tags or devices what a file says, on the same way as a whole document: all of it in one version, or, with
 * anything wrong, nothing.
 * @throws AppError `request.invalid` naming every wrong cell, `entity.conflict` when it was changed meanwhile
 */
export function importSheet(
  deps: ChangeDeps,
  principal: Principal,
  { sheet, problems, notes }: ReadSheet,
  options: ImportOptions,
): Promise<ConfigPlan> {
  checkRows(sheet, options.prune);
  const { profile, prune } = options;
  return publish(deps, principal, { ...options, action: "config.import" }, async (tx, state) => {
    const retention = await retentionClassNames(tx);
    const fragment = FRAGMENTS[sheet.kind](sheet, { state, profile, prune, retention });
    const { held, count } = fragment.problems;
    const total = problems.length + count;
    if (total > 0) throw cellsError([...problems, ...held], total);
    const newId = () => Bun.randomUUIDv7();
    const resolved = resolveDocument(fragment.document, state, { prune: false, newId });
    if (resolved.problems.length > 0) throw explained(resolved.problems, fragment.cellOf);
    fragment.prune?.(resolved.wanted);
    return {
      wanted: resolved.wanted,
      notes: boundedNotes([...notes, ...fragment.notes, ...resolved.notes]),
      errorOf: (found) => explained(found, fragment.cellOf),
    };
  });
}

/**
 * Tags or devices as a file that the import takes as it is.
 * @throws AppError `entity.missing` for a profile that is not there
 */
export async function exportSheet(
  db: Db,
  kind: Sheet["kind"],
  profile: string | null,
  form: CsvForm,
): Promise<string> {
  const state = await inTransaction(db, loadState);
  return kind === "tags" ? exportTags(state, profile, form) : exportDevices(state, profile, form);
}
