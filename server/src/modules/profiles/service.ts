import type { Profile, ProfileCreate } from "@millrace/contract/api/plant";
import { profileProblems } from "@millrace/contract/driver/check";
import { AppError } from "@millrace/contract/error/app-error";
import { repeatedNames } from "@millrace/contract/profile/expand";
import type { Db, Tx } from "../../db/client.ts";
import { decodeCursor, PAGE_ROWS, pageOf } from "../../http/page.ts";
import { type Principal, reachOf } from "../../http/principal.ts";
import { covers } from "../../http/reach.ts";
import { checkRevision } from "../../http/revision.ts";
import { applyConfigChange, type ChangeDeps, found } from "../change.ts";
import { contentOf } from "../config/state-store.ts";
import { findDevicesOfProfile, resyncDevicesOf } from "../devices/service.ts";
import { checkDriver } from "../driver-check.ts";
import { checkRetention } from "../retention/service.ts";
import { keepSecrets, shownSettings } from "../secrets/service.ts";
import {
  deleteProfile,
  findProfile,
  insertProfile,
  listProfiles,
  lockProfile,
  type ProfileRow,
  updateProfile,
} from "./store.ts";

export const mapProfile = ({ scanMs, heartbeatMs, parameters, settings, ...row }: ProfileRow): Profile => ({
  ...row,
  settings: shownSettings(settings, "profiles", row.name),
  ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
  ...(scanMs === null ? {} : { scanMs }),
  ...(heartbeatMs === null ? {} : { heartbeatMs }),
});

/** The audit keeps the number of tags instead of thousands of them; versions of the whole are a later matter. */
const forAudit = ({ tags, ...row }: ProfileRow) => ({ ...row, tagCount: tags.length });

async function rowOf(
  deps: ChangeDeps,
  principal: Principal,
  tx: Tx,
  id: string,
  input: ProfileCreate,
  old: ProfileRow | null,
): Promise<ProfileRow> {
  const repeated = repeatedNames(input.tags);
  if (repeated.length > 0) {
    throw new AppError(
      "request.invalid",
      `body/tags: the name "${repeated[0]}" occurs more than once; tag names are unique.`,
      {
        context: { repeated: repeated.slice(0, 20) },
      },
    );
  }
  const { scanMs = null, heartbeatMs = null, parameters = {}, ...rest } = input;
  const written = { kind: "profile", id, driver: input.driver, settings: input.settings } as const;
  const before = old?.settings ?? null;
  const settings = await keepSecrets(deps, tx, principal, { ...written, before });
  checkDriver(profileProblems({ ...input, settings }));
  return { id, ...rest, settings, parameters, scanMs, heartbeatMs, revision: (old?.revision ?? 0) + 1 };
}

export async function profilesPage(db: Db, query: { cursor?: string; limit?: number }) {
  const limit = query.limit ?? PAGE_ROWS.standard;
  const after = decodeCursor(query.cursor, ["text"]);
  const rows = await listProfiles(db, after === null ? null : String(after[0]), limit + 1);
  return pageOf(rows, limit, mapProfile, (row) => [row.name]);
}

/** @throws AppError `entity.missing` */
export const getProfile = async (db: Db, id: string): Promise<Profile> =>
  mapProfile(found(await findProfile(db, id), "profile"));

export function createProfile(
  deps: ChangeDeps,
  principal: Principal,
  input: ProfileCreate,
): Promise<Profile> {
  return applyConfigChange(deps, principal, async (tx) => {
    const row = await rowOf(deps, principal, tx, Bun.randomUUIDv7(), input, null);
    await checkRetention(tx, row.tags);
    await insertProfile(tx, row);
    const subject = `profile:${row.id}`;
    return {
      action: "profile.create",
      subject,
      old: null,
      new: forAudit(row),
      result: mapProfile(row),
      gatewayIds: [],
      entries: [{ kind: "profile", id: row.id, what: "added", content: contentOf.profile(row) }],
    };
  });
}

/** Whoever may change devices at some places only may not change what devices elsewhere stand on. */
async function checkReach(tx: Tx, principal: Principal, profileId: string): Promise<void> {
  const reach = reachOf(principal, "plant.edit");
  if (reach === "whole") return;
  const foreign = (await findDevicesOfProfile(tx, profileId)).filter(({ path }) => !covers(reach, path));
  if (foreign.length === 0) return;
  throw new AppError(
    "auth.forbidden",
    "Devices at places you may not change stand on this profile; copy it.",
    {
      context: { devices: foreign.length },
    },
  );
}

/** Every device of the profile follows in the same transaction. */
export function editProfile(
  deps: ChangeDeps,
  principal: Principal,
  id: string,
  revision: number,
  input: ProfileCreate,
): Promise<Profile> {
  return applyConfigChange(deps, principal, async (tx) => {
    const old = found(await lockProfile(tx, id), "profile");
    await checkReach(tx, principal, id);
    checkRevision(revision, old.revision);
    const row = await rowOf(deps, principal, tx, id, input, old);
    await checkRetention(tx, row.tags);
    await updateProfile(tx, row);
    const gatewayIds = await resyncDevicesOf(tx, row, new Date(deps.clock.nowMs()));
    const subject = `profile:${id}`;
    return {
      action: "profile.edit",
      subject,
      old: forAudit(old),
      new: forAudit(row),
      result: mapProfile(row),
      gatewayIds,
      entries: [{ kind: "profile", id, what: "changed", content: contentOf.profile(row) }],
    };
  });
}

/** @throws AppError `entity.inUse` while a device stands on it */
export function removeProfile(deps: ChangeDeps, principal: Principal, id: string): Promise<null> {
  return applyConfigChange(deps, principal, async (tx) => {
    const old = found(await lockProfile(tx, id), "profile");
    await checkReach(tx, principal, id);
    await deleteProfile(tx, id);
    return {
      action: "profile.delete",
      subject: `profile:${id}`,
      old: forAudit(old),
      new: null,
      result: null,
      gatewayIds: [],
      entries: [{ kind: "profile", id, what: "removed", content: null }],
    };
  });
}
