import type { ConfigDevice } from "@millrace/contract/api/config";
import { deviceProblems } from "@millrace/contract/driver/check";
import { type AnyDeclaration, DECLARATIONS } from "@millrace/contract/driver/registry";
import { describeShape } from "@millrace/contract/driver/settings";
import type { TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { writeEntity } from "../document.ts";
import type { ConfigProblem } from "../problem.ts";
import type { ConfigState, DeviceContent, ProfileContent } from "../state.ts";
import { SETTING_PREFIX } from "./columns.ts";
import { choices, emptyDocument, type Fragment, type ImportContext } from "./fragment.ts";
import { shown } from "./limits.ts";
import { Problems } from "./problem.ts";
import { booleanOf, propertyOf, settingOf } from "./setting-cells.ts";
import { type CellProblem, type Decimal, problemAt, type Sheet, type SheetRow } from "./sheet.ts";
import { nameProblem } from "./tags.ts";

/** What rows refer to, by name. */
interface Names {
  places: ReadonlySet<string>;
  gateways: ReadonlySet<string>;
  profiles: ReadonlyMap<string, ProfileContent>;
  devices: ReadonlyMap<string, DeviceContent>;
}

const namesOf = (state: ConfigState): Names => ({
  places: new Set([...state.site.values()].map(({ path }) => path)),
  gateways: new Set([...state.gateway.values()].map(({ name }) => name)),
  profiles: new Map([...state.profile.values()].map((content) => [content.name, content])),
  devices: new Map([...state.device.values()].map((content) => [content.path, content])),
});

/** A setting's schema by its protocol; while that is not known, by the first that has such a setting. */
function schemaOf(declaration: AnyDeclaration | undefined, name: string): TSchema | undefined {
  const declarations = declaration === undefined ? DECLARATIONS : [declaration];
  return declarations.map((one) => propertyOf(one, name)).find((schema) => schema !== undefined);
}

/** Reads the cells of one device and collects what is wrong. */
class DeviceCells {
  readonly problems: CellProblem[] = [];

  constructor(
    private readonly row: SheetRow,
    private readonly decimal: Decimal,
    private readonly names: Names,
    private readonly context: ImportContext,
  ) {}

  refuse(key: string, message: string): void {
    this.problems.push(problemAt(this.row, key, message));
  }

  #text(key: string): string | undefined {
    return this.row.cells.get(key)?.text;
  }

  /** Place and name as one path, checked. */
  path(): string {
    const whole = this.#text("path") ?? "";
    const cut = whole.lastIndexOf("/");
    const [place, name] =
      whole === ""
        ? [this.#text("place") ?? "", this.#text("name") ?? ""]
        : [whole.slice(0, Math.max(cut, 0)), whole.slice(cut + 1)];
    const [placeKey, nameKey] =
      whole === "" && this.#text("path") === undefined ? ["place", "name"] : ["path", "path"];
    const bad = nameProblem(name);
    if (whole !== "" && cut < 0)
      this.refuse("path", `found ${shown(whole)}, expected the path of the place, / and the device's name.`);
    else if (!this.names.places.has(place)) {
      const found = place === "" ? "found nothing, expected a place" : `there is no place ${shown(place)}`;
      this.refuse(placeKey, `${found}; ${choices(this.names.places)}.`);
    }
    if (bad !== null) this.refuse(nameKey, bad);
    return `${place}/${name}`;
  }

  /** A name that must be there: of this row, of the device as it is, or of the request. */
  refer(
    key: "profile" | "gateway",
    known: { has(name: string): boolean; keys(): Iterable<string> },
    standard: string | undefined,
  ): string {
    const name = this.#text(key) || standard || "";
    if (known.has(name)) return name;
    const found = name === "" ? `found nothing, expected a ${key}` : `there is no ${key} ${shown(name)}`;
    this.refuse(key, `${found}; ${choices(known.keys())}.`);
    return name;
  }

  enabled(standard: boolean): boolean {
    const text = this.#text("enabled");
    if (text === undefined) return standard;
    if (text === "") return true;
    const value = booleanOf(text);
    if (value === null) this.refuse("enabled", `found ${shown(text)}, expected true or false.`);
    return value ?? true;
  }

  /** The device's own settings: a cell decides one, an empty one takes it away, the others stay. */
  settings(old: Record<string, unknown>, profile: ProfileContent | undefined): Record<string, unknown> {
    const settings = { ...old };
    const declaration = DECLARATIONS.find(({ kind }) => kind === profile?.driver);
    for (const [key, { text }] of this.row.cells) {
      if (!key.startsWith(SETTING_PREFIX)) continue;
      const name = key.slice(SETTING_PREFIX.length);
      const schema = schemaOf(declaration, name);
      if (text === "") delete settings[name];
      else settings[name] = settingOf(text, schema, this.decimal);
      // Without its profile a setting is judged alone, so that its row is told everything at once.
      if (declaration === undefined && name in settings && schema !== undefined)
        this.#judge(key, settings[name], schema);
    }
    if (profile === undefined || declaration === undefined) return settings;
    for (const { at, message } of deviceProblems(profile, settings)) this.refuse(at.join("."), message);
    return settings;
  }

  #judge(key: string, value: unknown, schema: TSchema): void {
    if (Value.Check(schema, value)) return;
    const found = schema.secret === true ? "a value we do not repeat" : shown(String(value));
    this.refuse(key, `found ${found}, expected ${describeShape(schema)}.`);
  }

  read(): { path: string; device: ConfigDevice } {
    const path = this.path();
    const there = this.names.devices.get(path);
    const old = there === undefined ? undefined : writeEntity("device", there, this.context.state);
    const profile = this.refer(
      "profile",
      this.names.profiles,
      old?.profile ?? this.context.profile ?? undefined,
    );
    const gateway = this.refer("gateway", this.names.gateways, old?.gateway);
    const enabled = this.enabled(there?.enabled ?? true);
    const settings = this.settings(there?.settings ?? {}, this.names.profiles.get(profile));
    return { path, device: { profile, gateway, enabled, settings } };
  }
}

/** Devices that are in no row go; with a profile in the request, only its own. Places and profiles stay. */
function pruner(rows: ReadonlyMap<string, SheetRow>, profile: string | null) {
  return (wanted: ConfigState): void => {
    for (const [id, { path, profileId }] of wanted.device) {
      const reached = profile === null || wanted.profile.get(profileId)?.name === profile;
      if (reached && !rows.has(path)) wanted.device.delete(id);
    }
  };
}

/** Rows of devices → devices by path. Everything they refer to must be there already. */
export function devicesFragment(sheet: Sheet, context: ImportContext): Fragment {
  const names = namesOf(context.state);
  const rows = new Map<string, SheetRow>();
  const devices: [string, ConfigDevice][] = [];
  const problems = new Problems();
  for (const row of sheet.rows) {
    const cells = new DeviceCells(row, sheet.decimal, names, context);
    const { path, device } = cells.read();
    const twin = rows.get(path);
    if (twin !== undefined) {
      const key = row.cells.has("path") ? "path" : "name";
      cells.refuse(key, `the device ${shown(path)} stands in ${twin.where} already.`);
    }
    if (!path.startsWith("/") && !path.endsWith("/")) rows.set(path, row);
    devices.push([path, device]);
    problems.add(cells.problems);
  }
  const document = emptyDocument();
  document.devices = Object.fromEntries(devices);
  const cellOf = ([root, path, ...member]: ConfigProblem["at"]) => {
    const row = root === "devices" ? rows.get(String(path)) : undefined;
    if (row === undefined) return null;
    const key = member.length > 0 ? member.join(".") : row.cells.has("path") ? "path" : "name";
    return problemAt(row, key, "");
  };
  const prune = context.prune ? { prune: pruner(rows, context.profile) } : {};
  return { document, problems, notes: [], cellOf, ...prune };
}
