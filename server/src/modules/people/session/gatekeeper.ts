import { KIOSK_PERMISSIONS } from "@millrace/contract/api/api-key";
import type { Permission } from "@millrace/contract/api/role";
import type { Gatekeeper } from "../../../http/access.ts";
import type { HeldGrant, Principal } from "../../../http/principal.ts";
import { covers } from "../../../http/reach.ts";
import { tokenHash } from "../../../secret.ts";
import { hasFactor, isFactorRequired } from "../factor/standing.ts";
import { findStanding } from "../factor/store.ts";
import { type People, SESSION } from "../people.ts";
import { findPlace } from "../place-store.ts";
import { findApiKey, findPersonGrants, touchApiKey } from "../store.ts";
import { createSeen } from "./seen.ts";
import { foundSessionOf } from "./sessions.ts";
import { deleteSession, type FoundSession, touchSession } from "./store.ts";

const BEARER = /^Bearer ([\x21-\x7e]{1,400})$/i;

/** What a short PIN cannot be trusted with. */
const NOT_BY_PIN: ReadonlySet<Permission> = new Set(["person.edit", "system.edit", "plant.edit"]);

/** Of somebody's roles what they may do with a PIN at a shared tablet: at its place and below, nothing administrative. */
export function grantsByPin(grants: readonly HeldGrant[], devicePath: string): HeldGrant[] {
  return grants.flatMap((grant) => {
    const permissions = grant.permissions.filter((permission) => !NOT_BY_PIN.has(permission));
    if (grant.path !== null && covers([devicePath], grant.path)) return [{ ...grant, permissions }];
    const holdsHere = grant.path === null || covers([grant.path], devicePath);
    return holdsHere ? [{ ...grant, path: devicePath, permissions }] : [];
  });
}

const readOnly = (grants: readonly HeldGrant[]): HeldGrant[] =>
  grants.map((grant) => ({
    ...grant,
    permissions: grant.permissions.filter((permission) => KIOSK_PERMISSIONS.includes(permission)),
  }));

/** True when a session still counts: in time, of somebody who may, and, on a shared tablet, with its person there. */
function isAlive({ session, person }: FoundSession, nowMs: number): boolean {
  if (person.disabledAt !== null || session.expiresAt.getTime() <= nowMs) return false;
  return (
    session.sharedDeviceId === null || nowMs - session.lastSeenAt.getTime() < SESSION.sharedIdleS * 1_000
  );
}

async function principalOf(people: People, found: FoundSession): Promise<Principal | null> {
  const { db, mfa } = people;
  const { session, person, devicePath } = found;
  const { id, name, email } = person;
  const held = await findPersonGrants(db, id);
  if (held === null) return null;
  const grants = session.kind === "pin" ? grantsByPin(held, devicePath ?? "") : held;
  // A provider asks for its own second factor; we cannot know which.
  const asked = session.kind !== "sso" && isFactorRequired(mfa, held);
  const standing = asked ? await findStanding(db, id) : null;
  return {
    kind: "person",
    id,
    name,
    email,
    grants,
    mustEnrol: standing !== null && !hasFactor(standing),
    session: {
      id: session.id,
      kind: session.kind,
      freshUntilMs: session.freshAt === null ? null : session.freshAt.getTime() + SESSION.freshS * 1_000,
      idleS: session.sharedDeviceId === null ? null : SESSION.sharedIdleS,
    },
  };
}

/**
 * An API key when there is an Authorization header, else the session's cookie, else a kiosk's. A wrong key never falls back
 * to a cookie, and a kiosk's token is good in its cookie alone.
 */
export function createGatekeeper(people: People): Gatekeeper {
  const { db, clock, cookies } = people;
  const sessions = createSeen(clock, SESSION.seenEveryMs, (id, now) => touchSession(db, id, now));
  const keys = createSeen(clock, SESSION.seenEveryMs, (id, now) => touchApiKey(db, id, now));
  const byKey = async (token: string, kind: "apiKey" | "kiosk"): Promise<Principal | null> => {
    const found = await findApiKey(db, tokenHash(token), new Date(clock.nowMs()));
    if (found?.kind !== kind) return null;
    keys(found.id);
    return kind === "kiosk" ? { ...found, grants: readOnly(found.grants) } : found;
  };
  const bySession = async (headers: Headers): Promise<Principal | null> => {
    const found = await foundSessionOf(people, headers);
    if (found === null) return null;
    if (isAlive(found, clock.nowMs())) return await principalOf(people, found);
    await deleteSession(db, found.session.id);
    return null;
  };
  return {
    placeOf: (kind, key) => findPlace(db, kind, key),
    async whoIs(headers) {
      const authorization = headers.get("authorization");
      if (authorization !== null) {
        const key = BEARER.exec(authorization)?.[1];
        return key === undefined ? null : await byKey(key, "apiKey");
      }
      const person = await bySession(headers);
      if (person !== null) return person;
      const token = cookies.read(headers, "kiosk");
      return token === null || token === "" ? null : await byKey(token, "kiosk");
    },
    seen({ session }, method) {
      if (session === undefined) return;
      // Screens ask again by themselves, so on a shared tablet only a change shows that somebody is there.
      if (session.idleS === null || (method !== "GET" && method !== "HEAD")) sessions(session.id);
    },
  };
}
