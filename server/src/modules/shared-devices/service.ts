import type { SharedDevice, SharedDeviceCreate } from "@millrace/contract/api/shared-device";
import { AppError } from "@millrace/contract/error/app-error";
import { inTransaction } from "../../db/transaction.ts";
import { mayAt, type Principal, whoOf } from "../../http/principal.ts";
import { newToken, tokenHash } from "../../secret.ts";
import { recordAudit } from "../audit/service.ts";
import { found } from "../change.ts";
import { instantOf } from "../instant.ts";
import { changePeople } from "../people/change.ts";
import { findSitePaths } from "../people/grant-store.ts";
import { type Answer, type Asker, type People, personOf } from "../people/people.ts";
import { COOKIE_S_MAX } from "../people/session/cookies.ts";
import { bindSession } from "../people/session/store.ts";
import {
  deleteSharedDevice,
  findSharedDevice,
  findSharedDeviceById,
  insertSharedDevice,
  listSharedDevices,
  type SharedDeviceRow,
} from "../people/shared/device-store.ts";
import { browserWords } from "../people/sign-in/browser.ts";

export const SHARED_DEVICES_MAX = 500;

const mapDevice = (
  { id, name, siteId, path, device, createdAt, lastSeenAt }: SharedDeviceRow,
  ownId: string | null,
): SharedDevice => ({
  id,
  name,
  siteId,
  path,
  own: id === ownId,
  device,
  createdAt: instantOf(createdAt.getTime()),
  lastSeenAt: lastSeenAt === null ? null : instantOf(lastSeenAt.getTime()),
});

/** Shared tablets at the places somebody may see gateways at. */
export async function sharedDevicesList(
  { db, cookies }: People,
  asker: Asker,
  principal: Principal,
): Promise<{ items: SharedDevice[] }> {
  const own = await findSharedDevice(db, cookies.read(asker.headers, "device"));
  const rows = await listSharedDevices(db, SHARED_DEVICES_MAX);
  const seen = rows.filter(({ path }) => mayAt(principal, "gateway.read", path));
  return { items: seen.map((row) => mapDevice(row, own?.id ?? null)) };
}

/** Makes the asking browser a shared tablet of a place. @throws AppError `request.invalid` for a place one has no say at */
export async function enrolSharedDevice(
  people: People,
  asker: Asker,
  principal: Principal,
  { name, siteId }: SharedDeviceCreate,
): Promise<Answer<SharedDevice>> {
  const { db, clock, cookies } = people;
  const { session } = personOf(principal);
  const path = (await findSitePaths(db, [siteId])).get(siteId);
  if (path === undefined || !mayAt(principal, "gateway.edit", path))
    throw new AppError("request.invalid", "body/siteId: there is no place with this id.", {
      context: { fields: [{ field: "body/siteId" }] },
    });
  const [id, token] = [Bun.randomUUIDv7(), newToken()];
  const device = browserWords(asker.browser);
  const row = {
    id,
    name,
    hash: tokenHash(token),
    siteId,
    device,
    createdAt: new Date(clock.nowMs()),
    lastSeenAt: null,
  };
  const before = await findSharedDevice(db, cookies.read(asker.headers, "device"));
  return await changePeople(people, principal, async (tx) => {
    if ((await listSharedDevices(tx, SHARED_DEVICES_MAX)).length >= SHARED_DEVICES_MAX)
      throw new AppError("request.invalid", `There are at most ${SHARED_DEVICES_MAX} shared tablets.`);
    await insertSharedDevice(tx, row);
    await bindSession(tx, session.id, id, row.createdAt);
    // One browser is one tablet: what it was before is gone.
    if (before !== null) await deleteSharedDevice(tx, before.id);
    return {
      action: "sharedDevice.enrol",
      subject: `sharedDevice:${id}`,
      old: null,
      new: { name, siteId, device },
      result: {
        body: mapDevice({ ...row, path }, id),
        cookies: [cookies.set("device", token, COOKIE_S_MAX)],
      },
    };
  });
}

/** Its PINs are worth nothing from then on, and every session on it ends. */
export async function removeSharedDevice(
  { db, clock }: People,
  principal: Principal,
  id: string,
): Promise<null> {
  return await inTransaction(db, async (tx) => {
    const row = found(await findSharedDeviceById(tx, id), "shared tablet");
    if (!mayAt(principal, "gateway.edit", row.path))
      throw new AppError("entity.missing", "There is no such shared tablet.");
    await deleteSharedDevice(tx, id);
    const [who, subject, from] = [whoOf(principal), `sharedDevice:${id}`, principal.from];
    const old = { name: row.name, siteId: row.siteId };
    await recordAudit(tx, {
      atMs: clock.nowMs(),
      who,
      action: "sharedDevice.remove",
      subject,
      old,
      new: null,
      from,
    });
    return null;
  });
}
