import type { ConfigDevice } from "@millrace/contract/api/config";
import { deviceProblems } from "@millrace/contract/driver/check";
import { type AnyDeclaration, DECLARATIONS } from "@millrace/contract/driver/registry";
import { describeShape } from "@millrace/contract/driver/settings";
import { parseHours } from "@millrace/contract/hours/text";
import type { OperatingHours } from "@millrace/contract/vocabulary/operating-hours";
import type { ParameterValues } from "@millrace/contract/vocabulary/parameter";
import type { TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { writeEntity } from "../document.ts";
import type { ConfigProblem } from "../problem.ts";
import type { ConfigState, DeviceContent, ProfileContent } from "../state.ts";
import { PARAMETER_PREFIX, SETTING_PREFIX } from "./columns.ts";
import { choices, emptyDocument, type Fragment, type ImportContext } from "./fragment.ts";
import { shown } from "./limits.ts";
import { declaredName, parameterOf } from "./parameter-cells.ts";
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

/** Member of a device in the document → column of a file. A parameter is found under its name however it is written. */
function columnOfMember([member, ...rest]: ConfigProblem["at"], { cells }: SheetRow): string {
  if (member === "hours") return "hours";
  if (member !== "parameters") return [member, ...rest].join(".");
  const wanted = `${PARAMETER_PREFIX}${rest[0]}`;
  return [...cells.keys()].find((key) => key.toLowerCase() === wanted.toLowerCase()) ?? wanted;
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
  settings(
    old: Record<string, unknown>,
    profile: ProfileContent | undefined,
    parameters: ParameterValues,
  ): Record<string, unknown> {
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
    for (const { at, message } of deviceProblems(profile, settings, parameters))
      this.refuse(columnOfMember(at, this.row), message);
    return settings;
  }

  /** The device's own values: a cell decides one, an empty one takes it away, the others stay. */
  parameters(old: ParameterValues, profile: ProfileContent | undefined): ParameterValues {
    const values = { ...old };
    const declared = profile?.parameters ?? {};
    for (const [key, { text }] of this.row.cells) {
      if (!key.startsWith(PARAMETER_PREFIX)) continue;
      const name = declaredName(key.slice(PARAMETER_PREFIX.length), declared);
      if (text === "") delete values[name];
      else values[name] = parameterOf(text, declared[name], old[name], this.decimal);
    }
    return values;
  }

  hours(old: OperatingHours | null): OperatingHours | null {
    const text = this.#text("hours");
    if (text === undefined) return old;
    const parsed = parseHours(text);
    if (parsed.ok) return parsed.hours;
    this.refuse("hours", `found ${shown(text)}: ${parsed.message}`);
    return old;
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
    const content = this.names.profiles.get(profile);
    const parameters = this.parameters(there?.parameters ?? {}, content);
    const settings = this.settings(there?.settings ?? {}, content, parameters);
    const hours = this.hours(there?.hours ?? null);
    return { path, device: { profile, gateway, enabled, settings, parameters, hours } };
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
    const key = member.length > 0 ? columnOfMember(member, row) : row.cells.has("path") ? "path" : "name";
    return problemAt(row, key, "");
  };
  const prune = context.prune ? { prune: pruner(rows, context.profile) } : {};
  return { document, problems, notes: [], cellOf, ...prune };
}
