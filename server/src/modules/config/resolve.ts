import type { ConfigDocument, ConfigKind } from "@millrace/contract/api/config";
import { NAME_PATTERN } from "@millrace/contract/vocabulary/id";
import type { ConfigProblem } from "./problem.ts";
import { type ConfigState, type ContentOf, copyState, KINDS, nameOf } from "./state.ts";

const NAME = new RegExp(NAME_PATTERN);
const NAME_CHARACTERS_MAX = 100;

export interface Resolved {
  wanted: ConfigState;
  problems: ConfigProblem[];
  notes: string[];
}

type Ids = Map<string, string>;

const lastSlash = (path: string): number => path.lastIndexOf("/");
const parentOf = (path: string): string | null =>
  lastSlash(path) < 0 ? null : path.slice(0, lastSlash(path));
const lastName = (path: string): string => path.slice(lastSlash(path) + 1);

/** A document by names against a state by ids. Each step leaves `wanted` whole but for what it named as a problem. */
class Resolver {
  readonly problems: ConfigProblem[] = [];
  readonly notes: string[] = [];
  readonly wanted: ConfigState;
  readonly #named = new Set<string>();
  readonly #oldIds: Record<ConfigKind, Map<string, string>>;

  constructor(
    private readonly document: ConfigDocument,
    current: ConfigState,
    private readonly newId: () => string,
  ) {
    this.wanted = copyState(current);
    const [site, profile, gateway, device] = KINDS.map((kind) => this.#ids(kind)) as [Ids, Ids, Ids, Ids];
    this.#oldIds = { site, profile, gateway, device };
  }

  #ids(kind: ConfigKind): Map<string, string> {
    return new Map([...this.wanted[kind]].map(([id, content]) => [nameOf(content), id]));
  }

  /** The id an entry of the document stands for: the one of that name, of the name it had, or a new one. */
  #idOf(
    kind: ConfigKind,
    name: string,
    from: string | undefined,
    ids: Map<string, string>,
    at: string,
  ): string {
    const there = ids.get(name);
    const old = from === undefined ? undefined : (ids.get(from) ?? this.#oldIds[kind].get(from));
    if (there !== undefined && old !== undefined && there !== old) {
      this.problems.push({
        at: [at, name, "renamedFrom"],
        message: `both "${from}" and "${name}" exist; one of them must go or keep another name.`,
      });
    }
    const id = there ?? old ?? this.newId();
    this.#named.add(id);
    return id;
  }

  #checkName(at: string, key: string, name = lastName(key)): void {
    if (name.length <= NAME_CHARACTERS_MAX && NAME.test(name)) return;
    this.problems.push({
      at: [at, key],
      message: `"${name.slice(0, NAME_CHARACTERS_MAX)}" is no name: 1 to 100 characters without + # $ / and control characters.`,
    });
  }

  sites(): void {
    const entries = Object.entries(this.document.sites ?? {});
    // Parents first; a place that is renamed takes all below it along, so the paths below are looked up afterwards.
    entries.sort(([a], [b]) => a.split("/").length - b.split("/").length || (a < b ? -1 : 1));
    let ids = this.#ids("site");
    for (const [path, { kind, renamedFrom }] of entries) {
      this.#checkName("sites", path);
      const parentPath = parentOf(path);
      const parentId = parentPath === null ? null : ids.get(parentPath);
      if (parentId === undefined) {
        this.problems.push({
          at: ["sites", path],
          message: `there is no place "${parentPath}"; add it to sites, e.g. with kind: area.`,
        });
        continue;
      }
      const id = this.#idOf("site", path, renamedFrom, ids, "sites");
      const moved = this.wanted.site.get(id)?.path !== path && this.wanted.site.has(id);
      this.wanted.site.set(id, { name: lastName(path), kind, parentId, path });
      ids.set(path, id);
      if (!moved) continue;
      this.#rebase();
      ids = this.#ids("site");
    }
  }

  /** Paths follow their places: first the places below a renamed one, then the devices in them. */
  #rebase(): void {
    const { site, device } = this.wanted;
    const pathOf = (id: string, depth = 0): string => {
      const { name, parentId } = site.get(id) as ContentOf["site"];
      return parentId === null || depth > 64 ? name : `${pathOf(parentId, depth + 1)}/${name}`;
    };
    for (const [id, content] of site) {
      const path = pathOf(id);
      if (path !== content.path) site.set(id, { ...content, path });
    }
    for (const [id, content] of device) {
      const path = `${site.get(content.siteId)?.path}/${content.name}`;
      if (path !== content.path) device.set(id, { ...content, path });
    }
  }

  profiles(): void {
    const ids = this.#ids("profile");
    for (const [name, { renamedFrom, ...profile }] of Object.entries(this.document.profiles ?? {})) {
      this.#checkName("profiles", name, name);
      const id = this.#idOf("profile", name, renamedFrom, ids, "profiles");
      const { driver, tags, settings = {}, parameters = {}, scanMs = null, heartbeatMs = null } = profile;
      this.wanted.profile.set(id, { name, driver, settings, parameters, tags, scanMs, heartbeatMs });
    }
  }

  gateways(): void {
    const ids = this.#ids("gateway");
    const sites = this.#ids("site");
    for (const [name, { renamedFrom, site, sparkplug = null }] of Object.entries(
      this.document.gateways ?? {},
    )) {
      this.#checkName("gateways", name, name);
      const siteId = this.#refer(sites, site, ["gateways", name, "site"], "place");
      const id = this.#idOf("gateway", name, renamedFrom, ids, "gateways");
      if (siteId !== undefined) this.wanted.gateway.set(id, { name, siteId, sparkplug });
    }
  }

  devices(): void {
    const ids = this.#ids("device");
    const [sites, profiles, gateways] = [this.#ids("site"), this.#ids("profile"), this.#ids("gateway")];
    for (const [path, one] of Object.entries(this.document.devices ?? {})) {
      this.#checkName("devices", path);
      const at = ["devices", path];
      const place = parentOf(path);
      if (place === null) {
        this.problems.push({
          at,
          message: "a device lies at a place: write the path of the place, /, and its name.",
        });
      }
      const siteId = place === null ? undefined : this.#refer(sites, place, at, "place");
      const profileId = this.#refer(profiles, one.profile, [...at, "profile"], "profile");
      const gatewayId = this.#refer(gateways, one.gateway, [...at, "gateway"], "gateway");
      const id = this.#idOf("device", path, one.renamedFrom, ids, "devices");
      if (siteId === undefined || profileId === undefined || gatewayId === undefined) continue;
      const { settings = {}, parameters = {}, hours = null, enabled = true } = one;
      const own = { settings, parameters, hours, enabled };
      this.wanted.device.set(id, { name: lastName(path), profileId, gatewayId, siteId, ...own, path });
    }
  }

  #refer(ids: Map<string, string>, name: string, at: readonly string[], what: string): string | undefined {
    const id = ids.get(name);
    if (id === undefined) this.problems.push({ at, message: `there is no ${what} "${name}".` });
    else this.#named.add(id);
    return id;
  }

  /** Takes away what the document does not name. Gateways stay: their history and their key belong to them. */
  prune(): void {
    const { site, profile, gateway, device } = this.wanted;
    for (const id of device.keys()) if (!this.#named.has(id)) device.delete(id);
    for (const id of profile.keys()) if (!this.#named.has(id)) profile.delete(id);
    for (const [id, { name }] of gateway) {
      if (!this.#named.has(id))
        this.notes.push(`Gateway "${name}" is not in the document and stays; revoke it if it is gone.`);
    }
    const needed = new Set<string>();
    for (const { siteId } of [...gateway.values(), ...device.values()]) {
      for (let id: string | null = siteId; id !== null; id = site.get(id)?.parentId ?? null) needed.add(id);
    }
    for (const [id, { path }] of site) {
      if (this.#named.has(id)) continue;
      if (!needed.has(id)) site.delete(id);
      else this.notes.push(`Place "${path}" is not in the document and stays: a gateway stands there.`);
    }
  }

  /** Places above a named one are named by it. */
  nameParents(): void {
    for (const [id, { parentId }] of this.wanted.site) {
      if (!this.#named.has(id)) continue;
      for (let up = parentId; up !== null; up = this.wanted.site.get(up)?.parentId ?? null)
        this.#named.add(up);
    }
  }

  /** Two entities that would have one path. */
  collisions(): void {
    for (const kind of ["site", "device"] as const) {
      const seen = new Set<string>();
      for (const content of this.wanted[kind].values()) {
        const name = nameOf(content);
        if (seen.has(name))
          this.problems.push({ at: [`${kind}s`, name], message: "the path would exist twice." });
        seen.add(name);
      }
    }
  }
}

/**
 * What the configuration is to be according to a document: everything it names, over what is there. With `prune`, what
 * it does not name goes.
 */
export function resolveDocument(
  document: ConfigDocument,
  current: ConfigState,
  options: { prune: boolean; newId: () => string },
): Resolved {
  const resolver = new Resolver(document, current, options.newId);
  resolver.sites();
  resolver.profiles();
  resolver.gateways();
  resolver.devices();
  if (options.prune) {
    resolver.nameParents();
    resolver.prune();
  }
  resolver.collisions();
  const { wanted, problems, notes } = resolver;
  return { wanted, problems, notes };
}
