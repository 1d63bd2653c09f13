import type { RetentionClass } from "@millrace/contract/api/retention";
import { AppError } from "@millrace/contract/error/app-error";
import { type ProfileTag, RETENTION_STANDARD } from "@millrace/contract/vocabulary/tag";
import type { Db, Tx } from "../../db/client.ts";
import { postgresFacts } from "../../db/error.ts";
import { estimateSamples } from "../../historian/estimate.ts";
import {
  type KeptClass,
  keptTooShort,
  type Partition,
  shortened,
  whatToDrop,
} from "../../historian/retention/retention.ts";
import { boundLocks, listClasses, listPartitions } from "../../historian/retention/store.ts";
import type { Principal } from "../../http/principal.ts";
import { applyChange, type ChangeDeps, found } from "../change.ts";
import { mapClass } from "./map.ts";
import {
  deleteClass,
  dropClassTables,
  findStored,
  findUses,
  holdClassNames,
  insertClass,
  lockClass,
  lockClasses,
  makeClassTables,
  moveRemovedTags,
  updateClass,
} from "./store.ts";

export const CLASSES = {
  /** Each makes some thirty tables a year, and every query of the history looks at all of them while it is planned. */
  max: 16,
  /** How long making or removing a class's tables may hold up readers. */
  lockMs: 2_000,
} as const;

export async function allClasses(db: Db): Promise<{ items: RetentionClass[]; nextCursor: null }> {
  return { items: (await listClasses(db)).map(mapClass), nextCursor: null };
}

/** @throws AppError `request.invalid` naming the field */
function checkDays(input: RetentionClass): void {
  const short = keptTooShort(input);
  if (short === null) return;
  throw new AppError(
    "request.invalid",
    `body/${short.field}: a coarser tier is kept at least as long as a finer one; ${short.finer} is ` +
      `${input[short.finer] ?? "for ever"}.`,
    { context: { field: short.field, found: input[short.field], least: input[short.finer] } },
  );
}

/** Runs a change of tables; one that would hold up readers for too long is given up. */
async function withTables<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    if (postgresFacts(thrown)?.sqlState !== "55P03") throw thrown;
    throw new AppError("database.unavailable", "The history is being read just now; try again in a moment.", {
      cause: thrown,
    });
  }
}

export function createClass(
  deps: ChangeDeps,
  principal: Principal,
  input: RetentionClass,
): Promise<RetentionClass> {
  checkDays(input);
  const work = applyChange(deps, principal, async (tx) => {
    await boundLocks(tx, CLASSES.lockMs);
    await lockClasses(tx);
    const classes = await listClasses(tx);
    if (classes.length >= CLASSES.max) {
      throw new AppError(
        "request.invalid",
        `There are ${CLASSES.max} classes already, the most there can be.`,
      );
    }
    const row = { ...input, classNo: Math.max(0, ...classes.map(({ classNo }) => classNo)) + 1 };
    await insertClass(tx, row);
    await makeClassTables(tx, row.classNo);
    return {
      action: "retention.create",
      subject: `retention:${row.name}`,
      old: null,
      new: row,
      result: mapClass(row),
      gatewayIds: [],
    };
  });
  return withTables(work);
}

/** What a change would drop that is kept as of now. */
async function lossOf(
  tx: Tx,
  old: KeptClass,
  now: KeptClass,
  nowMs: number,
): Promise<{ partitions: Partition[]; samples: number; bytes: number }> {
  const all = await listPartitions(tx);
  const due = new Set(whatToDrop([old], all, nowMs));
  const partitions = whatToDrop([now], all, nowMs).filter((partition) => !due.has(partition));
  let samples = 0;
  for (const { tier, table } of partitions) {
    if (tier === "raw") samples += (await estimateSamples(tx, table)).samples;
  }
  return { partitions, samples, bytes: partitions.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** @throws AppError `retention.confirm` with what would be lost */
async function askFirst(tx: Tx, old: KeptClass, now: KeptClass, nowMs: number): Promise<void> {
  const tiers = shortened(old, now);
  if (tiers.length === 0) return;
  const { partitions, samples, bytes } = await lossOf(tx, old, now, nowMs);
  throw new AppError(
    "retention.confirm",
    `Class "${old.name}" would keep less (${tiers.join(", ")}): ${partitions.length} partitions with ${samples} raw ` +
      `samples and ${bytes} bytes would be dropped within the hour, for ever.`,
    {
      context: {
        tiers,
        partitions: partitions.length,
        samples,
        bytes,
        tables: partitions.slice(0, 20).map(({ table }) => table),
      },
    },
  );
}

/**
 * Replaces how long a class is kept. What is due by then goes with the next run of the retention.
 * @throws AppError `request.invalid` | `entity.missing`; `retention.confirm` for a shorter time without `confirm`
 */
export function editClass(
  deps: ChangeDeps,
  principal: Principal,
  name: string,
  input: RetentionClass,
  confirm: boolean,
): Promise<RetentionClass> {
  checkDays(input);
  if (input.name !== name) {
    throw new AppError("request.invalid", `body/name: a class keeps its name; expected "${name}".`);
  }
  return applyChange(deps, principal, async (tx) => {
    const old = found(await lockClass(tx, name), "retention class");
    const row: KeptClass = { ...input, classNo: old.classNo };
    if (!confirm) await askFirst(tx, old, row, deps.clock.nowMs());
    await updateClass(tx, row);
    return {
      action: "retention.edit",
      subject: `retention:${name}`,
      old,
      new: row,
      result: mapClass(row),
      gatewayIds: [],
    };
  });
}

/** @throws AppError `entity.missing`; `entity.inUse` while a tag or a profile names it or something of it is stored */
export function removeClass(deps: ChangeDeps, principal: Principal, name: string): Promise<null> {
  const work = applyChange(deps, principal, async (tx) => {
    await boundLocks(tx, CLASSES.lockMs);
    const old = found(await lockClass(tx, name), "retention class");
    if (name === RETENTION_STANDARD) {
      throw new AppError("entity.inUse", `"${name}" is the class of all tags that name none.`);
    }
    const { tags, profiles } = await findUses(tx, name);
    if (tags > 0 || profiles.length > 0) {
      throw new AppError(
        "entity.inUse",
        `${tags} tags are of class "${name}"${profiles.length > 0 ? `; profiles that name it: ${profiles.join(", ")}` : ""}.`,
        { context: { tags, profiles } },
      );
    }
    const stored = await findStored(tx, old.classNo);
    if (stored !== null) {
      throw new AppError(
        "entity.inUse",
        `There is history of class "${name}" in ${stored}; shorten its retention, or wait until it is over.`,
        { context: { table: stored } },
      );
    }
    await moveRemovedTags(tx, name, RETENTION_STANDARD);
    await dropClassTables(tx, old.classNo);
    await deleteClass(tx, old.classNo);
    const subject = `retention:${name}`;
    return { action: "retention.delete", subject, old, new: null, result: null, gatewayIds: [] };
  });
  return withTables(work);
}

/** Names a tag may give as its class. */
export const retentionClassNames = async (tx: Tx): Promise<Set<string>> =>
  new Set((await listClasses(tx)).map(({ name }) => name));

/**
 * For the modules whose changes name classes. They stay until the end of the transaction.
 * @throws AppError `request.invalid` naming the tag and the classes there are
 */
export async function checkRetention(tx: Tx, tags: readonly ProfileTag[]): Promise<void> {
  const names = new Set(tags.flatMap(({ retention }) => retention ?? []));
  if (names.size === 0) return;
  const known = await holdClassNames(tx, [...names]);
  const at = tags.findIndex(({ retention }) => retention !== undefined && !known.has(retention));
  const wrong = tags[at];
  if (wrong === undefined) return;
  const classes = (await listClasses(tx)).map(({ name }) => name);
  throw new AppError(
    "request.invalid",
    `body/tags/${at}/retention: tag "${wrong.name}" names the class "${wrong.retention}"; there are ${classes.join(", ")}.`,
    { context: { tag: wrong.name, found: wrong.retention, classes } },
  );
}
