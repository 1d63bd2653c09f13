import { isSecretRef, type SecretRef } from "@millrace/contract/vocabulary/secret";

export type Settings = Record<string, unknown>;

/** The members of a document that have settings. */
export type Root = "profiles" | "devices" | "gateways";

const KEPT = "id:";
const DRAFT = "drafts/";

/** How rows and versions name a stored value: by its id, so that going back to a version brings back its value. */
export const keptRef = (id: string): SecretRef => ({ secret: `${KEPT}${id}` });

/** How a draft names what was typed into it. */
export const draftRef = (id: string): SecretRef => ({ secret: `${DRAFT}${id}` });

/** The id a setting of a row names; null for everything else. */
export const keptId = (value: unknown): string | null =>
  isSecretRef(value) && value.secret.startsWith(KEPT) ? value.secret.slice(KEPT.length) : null;

/** How people name it: where it is kept. */
export const namedRef = (root: Root, name: string, setting: string): SecretRef => ({
  secret: `${root}/${name}/${setting}`,
});

const changedRefs = (settings: Settings, change: (id: string, setting: string) => unknown): Settings =>
  Object.fromEntries(
    Object.entries(settings).map(([setting, value]) => {
      const id = keptId(value);
      return [setting, id === null ? value : change(id, setting)];
    }),
  );

/** Settings of a row as people see them: in place of a secret, its name. */
export const shownSettings = (settings: Settings, root: Root, name: string): Settings =>
  changedRefs(settings, (_id, setting) => namedRef(root, name, setting));

const MARK_CHARS = 8;

/** Settings for a comparison: another value has another mark. The mark is random and says nothing of the value. */
export const markedSettings = (settings: Settings): Settings =>
  changedRefs(settings, (id) => `secret ${id.slice(-MARK_CHARS)}`);

/** What a reference leads to. */
export type Target =
  | { at: "kept"; id: string }
  | { at: "draft"; id: string }
  | { at: "named"; root: Root; name: string; setting: string }
  /** Filled in by whoever applies the document. */
  | { at: "outside" }
  | { at: "nowhere" };

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const NAMED = /^(profiles|devices|gateways)\/(.+)\/([^/]+)$/;

export function targetOf({ secret }: SecretRef): Target {
  for (const [at, prefix] of [
    ["kept", KEPT],
    ["draft", DRAFT],
  ] as const) {
    const id = secret.startsWith(prefix) ? secret.slice(prefix.length) : "";
    if (UUID.test(id)) return { at, id };
  }
  if (/^(env|file):/.test(secret)) return { at: "outside" };
  const [, root, name, setting] = NAMED.exec(secret) ?? [];
  if (root === undefined || name === undefined || setting === undefined) return { at: "nowhere" };
  return { at: "named", root: root as Root, name, setting };
}
