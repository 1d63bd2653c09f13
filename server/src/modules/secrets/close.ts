import { settingsDeclarationOf } from "@millrace/contract/driver/registry";
import { secretNamesOf } from "@millrace/contract/driver/secret-settings";
import { describeShape } from "@millrace/contract/driver/settings";
import { canonicalJson } from "@millrace/contract/std/canonical-json";
import { isSecretRef, SECRET } from "@millrace/contract/vocabulary/secret";
import type { TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { keptId, keptRef, type Root, type Settings, targetOf } from "./reference.ts";
import type { StoredSecret, Vault } from "./vault.ts";

/** Settings as somebody wrote them. */
export interface Written {
  kind: "profile" | "device" | "gateway";
  id: string;
  /** Kind of its settings; a gateway's are those of an edge node. */
  driver: string;
  settings: Settings;
  /** As the row has them now; null for what is new. */
  before: Settings | null;
}

/** Something wrong with one setting of one of them. */
export interface SecretProblem {
  id: string;
  setting: string;
  message: string;
}

export interface Closed {
  /** Settings as rows keep them, of those that have any secret. */
  settings: Map<string, Settings>;
  /** To be stored in the same transaction. */
  secrets: StoredSecret[];
  problems: SecretProblem[];
}

export interface ClosingPorts {
  vault: Vault;
  newId: () => string;
  /** Who has a name, and the settings of its row before the change; null settings for what is new. */
  find: (root: Root, name: string) => Promise<{ id: string; settings: Settings | null } | null>;
  load: (ids: readonly string[]) => Promise<ReadonlyMap<string, StoredSecret>>;
}

interface Slot {
  one: Written;
  setting: string;
  written: unknown;
  /** The stored value of the row as it is. */
  ownId: string | null;
}

/** What a slot is to hold: what it holds already, a value, or the value of another row. */
type Wish = { keep: string } | { value: unknown } | { copy: string } | { message: string };

const missing = (name: string): string =>
  `there is no secret "${name}" yet. Write the value itself, or secret: env:NAME or secret: file:PATH and apply the ` +
  `document with "millrace config apply"; by screen it is typed into the form.`;
const UNREADABLE = "the hub cannot open this secret any more: its key is another one. Enter it again.";
const OUTSIDE = `env: and file: are filled in by "millrace config apply", on the machine where it runs.`;

function slotsOf(one: Written): Slot[] {
  return [...secretNamesOf(one.driver)].flatMap((setting) => {
    const written = one.settings[setting];
    // An empty text is no secret: it says that there is none.
    if (written === undefined || written === "") return [];
    return [{ one, setting, written, ownId: keptId(one.before?.[setting]) }];
  });
}

const keyOf = (id: string, setting: string): string => `${id} ${setting}`;

/** What a reference asks for. `values`: written in the same change. */
async function wishOf(slot: Slot, values: ReadonlyMap<string, unknown>, ports: ClosingPorts): Promise<Wish> {
  const { one, setting, written, ownId } = slot;
  if (!isSecretRef(written)) return { value: written };
  const target = targetOf(written);
  switch (target.at) {
    case "outside":
      return { message: OUTSIDE };
    case "draft":
      return { copy: target.id };
    case "kept":
      return target.id === ownId ? { keep: target.id } : { message: missing(written.secret) };
    case "nowhere":
      return { message: missing(written.secret) };
    case "named": {
      const there = await ports.find(target.root, target.name);
      if (there === null) return { message: missing(written.secret) };
      const itself = there.id === one.id && target.setting === setting;
      const key = keyOf(there.id, target.setting);
      if (!itself && values.has(key)) return { value: values.get(key) };
      const id = keptId(there.settings?.[target.setting]);
      if (id === null) return { message: missing(written.secret) };
      return itself ? { keep: id } : { copy: id };
    }
  }
}

function shapeProblem({ one, setting }: Slot, value: unknown): string | null {
  const declaration = settingsDeclarationOf(one.driver);
  const label = declaration?.label ?? one.driver;
  const schema = (declaration?.settings.properties as Record<string, TSchema> | undefined)?.[setting];
  if (schema === undefined || !Value.Check(schema, value)) {
    const expected = schema === undefined ? "nothing" : describeShape(schema);
    return `${label}: setting "${setting}": found a value we do not repeat, expected ${expected}.`;
  }
  if (JSON.stringify(value).length <= SECRET.charactersMax) return null;
  return `${label}: setting "${setting}": a secret may have ${SECRET.charactersMax} characters.`;
}

/**
 * Takes secrets out of settings: what was typed is encrypted and named by a new id, what is the same value as before
 * keeps its id, and what names another row's secret gets that row's present value as its own.
 */
export async function closeSettings(written: readonly Written[], ports: ClosingPorts): Promise<Closed> {
  const closed: Closed = { settings: new Map(), secrets: [], problems: [] };
  const slots = written.flatMap(slotsOf);
  if (slots.length === 0) return closed;
  const literals = slots.filter(({ written }) => !isSecretRef(written));
  const values = new Map(literals.map(({ one, setting, written }) => [keyOf(one.id, setting), written]));
  const wishes: { slot: Slot; wish: Wish }[] = [];
  for (const slot of slots) wishes.push({ slot, wish: await wishOf(slot, values, ports) });
  const ids = wishes.flatMap(({ slot, wish }) => [
    ...("copy" in wish ? [wish.copy] : []),
    ...("keep" in wish || slot.ownId === null ? [] : [slot.ownId]),
  ]);
  const stored = await ports.load([...new Set(ids)]);
  for (const { slot, wish } of wishes) {
    const { one, setting } = slot;
    const done = carriedOut(slot, wish, stored, ports);
    if ("message" in done) closed.problems.push({ id: one.id, setting, message: done.message });
    else {
      const settings = closed.settings.get(one.id) ?? { ...one.settings };
      closed.settings.set(one.id, { ...settings, [setting]: keptRef(done.id) });
      if (done.made !== undefined) closed.secrets.push(done.made);
    }
  }
  return closed;
}

function carriedOut(
  slot: Slot,
  wish: Wish,
  stored: ReadonlyMap<string, StoredSecret>,
  { vault, newId }: ClosingPorts,
): { message: string } | { id: string; made?: StoredSecret } {
  if ("message" in wish) return wish;
  if ("keep" in wish) return { id: wish.keep };
  const open = (id: string | null) => {
    const row = id === null ? undefined : stored.get(id);
    return row === undefined ? null : vault.open(row);
  };
  const given = "value" in wish ? wish : open(wish.copy);
  if (given === null) return { message: UNREADABLE };
  const wrong = shapeProblem(slot, given.value);
  if (wrong !== null) return { message: wrong };
  const own = open(slot.ownId);
  if (slot.ownId !== null && own !== null && canonicalJson(own.value) === canonicalJson(given.value))
    return { id: slot.ownId };
  const about = { id: newId(), ownerKind: slot.one.kind, ownerId: slot.one.id, setting: slot.setting };
  return { id: about.id, made: vault.keep(about, given.value) };
}
