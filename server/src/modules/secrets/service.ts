import { getLogger } from "@logtape/logtape";
import type { ConfigDocument } from "@millrace/contract/api/config";
import { anySecretNames, secretNamesOf } from "@millrace/contract/driver/secret-settings";
import { AppError } from "@millrace/contract/error/app-error";
import { sparkplugDeclaration } from "@millrace/contract/sparkplug/settings";
import type { Clock } from "@millrace/contract/std/clock";
import { isSecretRef, type SecretRef } from "@millrace/contract/vocabulary/secret";
import { fieldSealText, manifestSealText } from "@millrace/contract/wire/sealed";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { mayAt, type Principal, reachOf } from "../../http/principal.ts";
import { isNowhere } from "../../http/reach.ts";
import type { ConfigProblem } from "../config/problem.ts";
import type { ConfigState } from "../config/state.ts";
import { checkDriver } from "../driver-check.ts";
import { closeSettings, type Written } from "./close.ts";
import { closeState } from "./close-state.ts";
import { draftRef, keptId, type Root, type Settings, targetOf } from "./reference.ts";
import { sealFor } from "./seal.ts";
import {
  deleteDraftSecrets,
  findDriver,
  findOwner,
  findSealed,
  findSealKey,
  findSecrets,
  hasSecrets,
  insertSecrets,
  saveSealed,
  saveSealKey,
} from "./store.ts";
import type { StoredSecret, Vault } from "./vault.ts";

export { shownSettings } from "./reference.ts";
export { insertSecrets } from "./store.ts";
export { Vault } from "./vault.ts";

const log = getLogger(["hub", "secrets"]);

const newId = (): string => Bun.randomUUIDv7();

/**
 * Whether somebody may have a stored secret used at a device of their choosing, which would hear it: only where they
 * could change it. Those of a kind of machine are used by whoever may put a device of that kind anywhere.
 */
function mayUse(principal: Principal, root: Root, name: string): boolean {
  switch (root) {
    case "devices":
      return mayAt(principal, "plant.edit", name);
    case "profiles":
      return !isNowhere(reachOf(principal, "plant.edit"));
    case "gateways":
      // A gateway keeps its own, which needs no right to use; nobody else has a use for them.
      return false;
  }
}

/**
 * Takes the secrets out of one row's settings and stores them.
 * @returns the settings as the row keeps them
 * @throws AppError `request.invalid` naming the setting, never a value
 */
export async function keepSecrets(
  { vault, clock }: { vault: Vault; clock: Clock },
  tx: Tx,
  principal: Principal,
  one: Written,
): Promise<Settings> {
  const { settings, secrets, problems } = await closeSettings([one], {
    vault,
    newId,
    find: async (root, name) => {
      const owner = await findOwner(tx, root, name);
      return owner?.id === one.id || mayUse(principal, root, name) ? owner : null;
    },
    load: (ids) => findSecrets(tx, ids),
  });
  checkDriver(problems.map(({ setting, message }) => ({ at: ["settings", setting], message })));
  await insertSecrets(tx, secrets, new Date(clock.nowMs()));
  return settings.get(one.id) ?? one.settings;
}

/** The same for a whole state; `wanted` is changed, nothing is stored yet. */
export const closeWanted = (
  vault: Vault,
  tx: Tx,
  before: ConfigState,
  wanted: ConfigState,
): Promise<{ secrets: StoredSecret[]; problems: ConfigProblem[] }> =>
  closeState({ vault, newId, load: (ids) => findSecrets(tx, ids) }, before, wanted);

/**
 * Takes what was typed out of a draft's document and stores it with the draft; what the document does not name any more
 * goes. Whether it fits its driver is found out when the draft is planned.
 */
export async function closeDraft(
  vault: Vault,
  tx: Tx,
  draftId: string,
  document: ConfigDocument,
  at: Date,
): Promise<ConfigDocument> {
  const secrets: StoredSecret[] = [];
  const named: string[] = [];
  const close = (settings: Settings, secret: ReadonlySet<string>): Settings => {
    const closed = Object.entries(settings).map(([setting, value]) => {
      if (isSecretRef(value)) {
        const target = targetOf(value);
        if (target.at === "draft") named.push(target.id);
        return [setting, value] as const;
      }
      if (!secret.has(setting) || value === "") return [setting, value] as const;
      const stored = vault.keep({ id: newId(), ownerKind: "draft", ownerId: draftId, setting }, value);
      secrets.push(stored);
      return [setting, draftRef(stored.id)] as const;
    });
    return Object.fromEntries(closed);
  };
  const changed: ConfigDocument = { ...document };
  const kindOf = async (profile: string) =>
    document.profiles?.[profile]?.driver ?? (await findDriver(tx, profile));
  if (document.profiles !== undefined) {
    const profiles = Object.entries(document.profiles).map(([name, { settings, ...rest }]) => {
      const own = settings === undefined ? {} : { settings: close(settings, secretNamesOf(rest.driver)) };
      return [name, { ...rest, ...own }] as const;
    });
    changed.profiles = Object.fromEntries(profiles);
  }
  const devices: NonNullable<ConfigDocument["devices"]> = {};
  for (const [path, { settings, ...rest }] of Object.entries(document.devices ?? {})) {
    const driver = settings === undefined ? null : await kindOf(rest.profile);
    const secret = driver === null ? anySecretNames() : secretNamesOf(driver);
    devices[path] = { ...rest, ...(settings === undefined ? {} : { settings: close(settings, secret) }) };
  }
  if (document.devices !== undefined) changed.devices = devices;
  if (document.gateways !== undefined) {
    const secret = secretNamesOf(sparkplugDeclaration.kind);
    const gateways = Object.entries(document.gateways).map(([name, { sparkplug, ...rest }]) => {
      const own = sparkplug === undefined ? {} : { sparkplug: close(sparkplug, secret) };
      return [name, { ...rest, ...own }] as const;
    });
    changed.gateways = Object.fromEntries(gateways);
  }
  await deleteDraftSecrets(tx, draftId, named);
  await insertSecrets(tx, secrets, at);
  return changed;
}

/** A draft is gone, and with it what was typed into it. */
export const forgetDraft = (tx: Tx, draftId: string): Promise<void> => deleteDraftSecrets(tx, draftId, []);

/** Secrets of a manifest by id, sealed for the gateway; null for what cannot be: no key known, or not to be opened. */
export async function sealedFor(
  { vault, hubId }: { vault: Vault; hubId: string },
  tx: Tx,
  gateway: { id: string; sealKey: string | null },
  settings: readonly Settings[],
): Promise<ReadonlyMap<string, string>> {
  const ids = [
    ...new Set(settings.flatMap((one) => Object.values(one).flatMap((value) => keptId(value) ?? []))),
  ];
  if (ids.length === 0 || gateway.sealKey === null) return new Map();
  const { id: gatewayId, sealKey } = gateway;
  const sealed = await findSealed(tx, gatewayId, sealKey, ids);
  const fresh = new Map<string, string>();
  for (const stored of (
    await findSecrets(
      tx,
      ids.filter((id) => !sealed.has(id)),
    )
  ).values()) {
    const open = vault.open(stored);
    if (open === null) {
      log.error("The secret {setting} of {owner} cannot be opened: is the key another one?", {
        setting: stored.setting,
        owner: `${stored.ownerKind} ${stored.ownerId}`,
      });
      continue;
    }
    const text = sealFor(
      sealKey,
      manifestSealText({ hubId, gatewayId, setting: stored.setting }),
      open.value,
    );
    if (text !== null) fresh.set(stored.id, text);
  }
  await saveSealed(tx, gatewayId, sealKey, fresh);
  return new Map([...sealed, ...fresh]);
}

/**
 * Remembers the key that a gateway's hello showed.
 * @returns true when something of its manifest is to be sealed for it
 */
export const learnSealKey = async (db: DbOrTx, gatewayId: string, sealKey: string): Promise<boolean> =>
  (await saveSealKey(db, gatewayId, sealKey)) && (await hasSecrets(db, gatewayId));

/**
 * Settings of a test at a device with the values of its secrets, for the hub's own judgement.
 * @throws AppError `request.invalid` for a reference that leads nowhere, or to where the principal may change nothing
 */
export async function openSettings(
  { vault, db }: { vault: Vault; db: DbOrTx },
  principal: Principal,
  driver: string,
  settings: Settings,
): Promise<Settings> {
  const opened: Settings = { ...settings };
  for (const setting of secretNamesOf(driver)) {
    const value = settings[setting];
    if (!isSecretRef(value)) continue;
    const id = await idBehind(db, principal, value);
    const stored = id === null ? undefined : (await findSecrets(db, [id])).get(id);
    const open = stored === undefined ? null : vault.open(stored);
    if (open === null) {
      throw new AppError(
        "request.invalid",
        `body/settings/${setting}: there is no such secret for you to use; type the value.`,
      );
    }
    opened[setting] = open.value;
  }
  return opened;
}

async function idBehind(db: DbOrTx, principal: Principal, ref: SecretRef): Promise<string | null> {
  const target = targetOf(ref);
  if (target.at !== "named" || !mayUse(principal, target.root, target.name)) return null;
  const owner = await findOwner(db, target.root, target.name);
  return keptId(owner?.settings[target.setting]);
}

/**
 * The same settings as they go to the gateway for the test.
 * @throws AppError `field.unsupported` for a gateway that can open nothing
 */
export async function sealSettings(
  db: DbOrTx,
  place: { hubId: string; gatewayId: string },
  driver: string,
  opened: Settings,
): Promise<Settings> {
  const secret = [...secretNamesOf(driver)].filter(
    (setting) => opened[setting] !== undefined && opened[setting] !== "",
  );
  if (secret.length === 0) return opened;
  const sealKey = await findSealKey(db, place.gatewayId);
  const others = Object.fromEntries(Object.entries(opened).filter(([setting]) => !secret.includes(setting)));
  const settings: Settings = { ...others };
  for (const setting of secret) {
    const text = fieldSealText({ ...place, setting }, { driver, settings: others });
    const sealed = sealKey === null ? null : sealFor(sealKey, text, opened[setting]);
    if (sealed === null)
      throw new AppError(
        "field.unsupported",
        "This gateway has shown no key for which secrets could be sealed; update it.",
      );
    settings[setting] = { sealed };
  }
  return settings;
}
