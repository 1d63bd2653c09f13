import type {
  ConfigChange,
  ConfigDiff,
  ConfigDocument,
  ConfigPlan,
  ConfigVersion,
} from "@millrace/contract/api/config";
import { AppError } from "@millrace/contract/error/app-error";
import type { Db, Tx } from "../../db/client.ts";
import { inTransaction } from "../../db/transaction.ts";
import { decodeCursor, PAGE_ROWS, pageOf } from "../../http/page.ts";
import type { Principal } from "../../http/principal.ts";
import { applyConfigChange, type Change, type ChangeDeps, found } from "../change.ts";
import { retentionClassNames } from "../retention/service.ts";
import { closeWanted, insertSecrets } from "../secrets/service.ts";
import { applyChanges, entriesOf, gatewaysReached } from "./apply.ts";
import { stateProblems } from "./check.ts";
import { diffStates, summaryOf } from "./diff.ts";
import { documentOf } from "./document.ts";
import { type ConfigProblem, problemsError } from "./problem.ts";
import { resolveDocument } from "./resolve.ts";
import { type ConfigState, emptyState } from "./state.ts";
import { loadState } from "./state-store.ts";
import type { LineOf, ReadConfig } from "./text.ts";
import {
  type ConfigEntry,
  currentVersion,
  findVersion,
  listVersions,
  lockConfig,
  stateAt,
  type VersionRow,
} from "./versions-store.ts";

export interface PublishOptions {
  dryRun: boolean;
  comment: string;
  /** The version the author looked at; null when it does not matter. */
  basedOn: number | null;
}

const mapVersion = ({ at, ...row }: VersionRow): ConfigVersion => ({ ...row, at: at.toISOString() });

/**
 * The configuration as a document, now or as a version left it.
 * @throws AppError `entity.missing` for a version there never was
 */
export async function getConfig(
  db: Db,
  version: number | null,
): Promise<{ version: number; document: ConfigDocument }> {
  return await inTransaction(db, async (tx) => {
    const present = await currentVersion(tx);
    if (version === null) return { version: present, document: documentOf(await loadState(tx)) };
    return { version, document: documentOf(await stateOf(tx, version)) };
  });
}

/** Version 0 is the empty configuration. @throws AppError `entity.missing` */
export async function stateOf(tx: Tx, version: number): Promise<ConfigState> {
  if (version === 0) return emptyState();
  found(await findVersion(tx, version), `version (${version})`);
  return await stateAt(tx, version);
}

interface Planned {
  plan: Omit<ConfigPlan, "applied" | "version">;
  /** All of them, also those an answer only counts. */
  changes: ConfigChange[];
  entries: ConfigEntry[];
  gatewayIds: Set<string>;
  carryOut(at: Date): Promise<void>;
}

/** Problems in the words of whoever wrote them: places of a document, cells of a file. */
type ErrorOf = (problems: readonly ConfigProblem[]) => AppError;

/** What leads from the present state to the wanted one. @throws AppError `request.invalid` with every problem */
async function planFor(
  tx: Tx,
  before: ConfigState,
  after: ConfigState,
  notes: readonly string[],
  errorOf: ErrorOf,
): Promise<Planned> {
  const changes = diffStates(before, after);
  const gatewayIds = gatewaysReached(before, after, changes);
  const problems = stateProblems(after, changes, gatewayIds, await retentionClassNames(tx));
  if (problems.length > 0) throw errorOf(problems);
  const gateways = [...gatewayIds].map((id) => after.gateway.get(id)?.name ?? id).sort();
  return {
    plan: { ...summaryOf(changes), notes: [...notes], gateways },
    changes,
    entries: entriesOf(after, changes),
    gatewayIds,
    carryOut: (at) => applyChanges(tx, before, after, changes, at),
  };
}

/** What must hold in the same transaction, before anything is changed. */
export type Beforehand = (tx: Tx, changes: readonly ConfigChange[]) => Promise<void>;

/** What happens in the same transaction, after the change and before its manifests. */
export type InStep = (
  tx: Tx,
  published: { version: number; backTo: number; gatewayIds: readonly string[] },
) => Promise<void>;

/** What is to be, found out under the lock. */
export type Wanted = (
  tx: Tx,
  before: ConfigState,
) => Promise<{
  wanted: ConfigState;
  notes: string[];
  errorOf?: ErrorOf;
  /** It comes from versions, which hold no secret but its id. */
  restored?: boolean;
}>;

/** @throws AppError `entity.conflict` when somebody published since */
function checkBase(basedOn: number | null, present: number): void {
  if (basedOn === null || basedOn === present) return;
  throw new AppError(
    "entity.conflict",
    `The configuration was changed meanwhile: you looked at version ${basedOn}, it is now ${present}.`,
    { context: { wanted: basedOn, present } },
  );
}

/**
 * The one way of publishing: plan under the lock, and, unless it is a dry run, carry it out as the next version.
 * @throws AppError `request.invalid` with every problem, `entity.conflict` when it was changed meanwhile
 */
export async function publish(
  deps: ChangeDeps,
  principal: Principal,
  options: PublishOptions & { action: string; inStep?: InStep; beforehand?: Beforehand },
  wantedOf: Wanted,
): Promise<ConfigPlan> {
  const prepare = async (tx: Tx) => {
    const present = await currentVersion(tx);
    checkBase(options.basedOn, present);
    const before = await loadState(tx);
    const { wanted, notes, errorOf = problemsError, restored = false } = await wantedOf(tx, before);
    const nothing = { secrets: [], problems: [] };
    const closed = restored ? nothing : await closeWanted(deps.vault, tx, before, wanted);
    if (closed.problems.length > 0) throw errorOf(closed.problems);
    return { present, secrets: closed.secrets, planned: await planFor(tx, before, wanted, notes, errorOf) };
  };
  if (options.dryRun) {
    const { present, planned } = await inTransaction(deps.db, async (tx) => {
      await lockConfig(tx);
      return await prepare(tx);
    });
    return { version: present, applied: false, ...planned.plan };
  }
  return await applyConfigChange(deps, principal, async (tx): Promise<Change<ConfigPlan> & Published> => {
    const { present, planned, secrets } = await prepare(tx);
    const at = new Date(deps.clock.nowMs());
    await options.beforehand?.(tx, planned.changes);
    await insertSecrets(tx, secrets, at);
    await planned.carryOut(at);
    const { added, changed, removed, changes } = planned.plan;
    const version = planned.entries.length === 0 ? present : present + 1;
    await options.inStep?.(tx, { version, backTo: present, gatewayIds: [...planned.gatewayIds] });
    const counts = { added, changed, removed };
    const names = changes.slice(0, AUDITED_MAX).map(({ kind, name, what }) => `${what} ${kind} ${name}`);
    return {
      action: options.action,
      subject: `config:${version}`,
      old: { version: present },
      new: { version, ...counts, names, ...(options.comment === "" ? {} : { comment: options.comment }) },
      result: { version, applied: true, ...planned.plan },
      gatewayIds: [...planned.gatewayIds],
      entries: planned.entries,
      comment: options.comment,
      ofRollout: options.inStep !== undefined,
    };
  });
}

type Published = { entries: readonly ConfigEntry[] };
/** Names of changed entities in the audit; the version has all. */
const AUDITED_MAX = 100;

/**
 * Makes the configuration what a document says.
 * @throws AppError `request.invalid` with every problem of the document, `entity.conflict` when it was changed meanwhile
 */
export function putConfig(
  deps: ChangeDeps,
  principal: Principal,
  { document, lineOf }: ReadConfig,
  options: PublishOptions & { prune: boolean },
): Promise<ConfigPlan> {
  return publish(deps, principal, { ...options, action: "config.apply" }, async (_tx, before) =>
    wantedBy(document, before, options.prune, lineOf),
  );
}

/** What a document wants of a state. @throws AppError `request.invalid` with every reference that leads nowhere */
export function wantedBy(document: ConfigDocument, before: ConfigState, prune: boolean, lineOf?: LineOf) {
  const newId = () => Bun.randomUUIDv7();
  const { wanted, problems, notes } = resolveDocument(document, before, { prune, newId });
  if (problems.length > 0) throw problemsError(problems, lineOf);
  return { wanted, notes, errorOf: (found: readonly ConfigProblem[]) => problemsError(found, lineOf) };
}

/**
 * Makes the configuration what it was at a version, under a new number. Gateways that came since stay, and so does
 * where they stand; ids are the same again, and with them every tag's history.
 * @throws AppError `entity.missing` for a version there never was, `entity.conflict` when it was changed meanwhile
 */
export function rollBack(
  deps: ChangeDeps,
  principal: Principal,
  to: number,
  options: PublishOptions,
): Promise<ConfigPlan> {
  const comment = options.comment === "" ? `Back to version ${to}` : options.comment;
  return publish(deps, principal, { ...options, comment, action: "config.rollback" }, async (tx, before) => {
    const wanted = await stateOf(tx, to);
    return { wanted, notes: keepGateways(before, wanted), restored: true };
  });
}

/** Gateways that are there now and were not then stay, with the places above them. Returns what to say about it. */
function keepGateways(before: ConfigState, wanted: ConfigState): string[] {
  const notes: string[] = [];
  for (const [id, content] of before.gateway) {
    if (wanted.gateway.has(id)) continue;
    wanted.gateway.set(id, content);
    notes.push(`Gateway "${content.name}" did not exist then and stays; revoke it if it is gone.`);
    for (let up: string | null = content.siteId; up !== null && !wanted.site.has(up); ) {
      const site = before.site.get(up);
      if (site === undefined) break;
      wanted.site.set(up, site);
      up = site.parentId;
    }
  }
  return notes;
}

export async function versionsPage(db: Db, query: { cursor?: string; limit?: number }) {
  const limit = query.limit ?? PAGE_ROWS.standard;
  const before = decodeCursor(query.cursor, ["whole"]);
  const rows = await listVersions(db, before === null ? null : Number(before[0]), limit + 1);
  return pageOf(rows, limit, mapVersion, ({ version }) => [version]);
}

/** @throws AppError `entity.missing` */
export const getVersion = async (db: Db, version: number): Promise<ConfigVersion> =>
  mapVersion(found(await findVersion(db, version), `version (${version})`));

/** @throws AppError `entity.missing` for a version there never was */
export async function compareVersions(db: Db, from: number, to: number): Promise<ConfigDiff> {
  return await inTransaction(db, async (tx) => {
    const [before, after] = [await stateOf(tx, from), await stateOf(tx, to)];
    return { from, to, ...summaryOf(diffStates(before, after)) };
  });
}

export type { ConfigProblem };
