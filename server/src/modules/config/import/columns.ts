import { DECLARATIONS } from "@millrace/contract/driver/registry";
import { anySecretNames } from "@millrace/contract/driver/secret-settings";
import type { TSchema } from "@sinclair/typebox";

/** Columns of a file of tags, in the order of an export, and the other names they may have. */
export const TAG_COLUMNS = {
  profile: ["device profile", "profil"],
  name: ["tag", "tag name"],
  address: ["addr", "register", "adresse"],
  dataType: ["data type", "type", "datatype", "datentyp"],
  unit: ["units", "eng unit", "eng units", "engineering unit", "uom", "einheit"],
  description: ["desc", "comment", "documentation", "beschreibung"],
  "scale factor": ["factor", "scale", "gain", "multiplier", "faktor"],
  "scale offset": ["offset"],
  "range low": ["low", "min", "minimum", "eng low"],
  "range high": ["high", "max", "maximum", "eng high"],
  deadband: ["dead band", "totband"],
  scanMs: ["scan", "scan ms", "scan rate", "scan rate ms", "poll ms", "interval ms"],
  heartbeatMs: ["heartbeat", "heartbeat ms"],
  interpolation: [],
  retention: ["retention class"],
} as const satisfies Record<string, readonly string[]>;
export type TagColumn = keyof typeof TAG_COLUMNS;

/** The same for devices; settings of the drivers come on top, as `settings.host` or just `host`, parameters as `param.base`. */
export const DEVICE_COLUMNS = {
  path: ["device path", "pfad"],
  place: ["site", "location", "ort"],
  name: ["device", "device name"],
  profile: ["device profile", "profil"],
  gateway: ["edge gateway"],
  enabled: ["active", "aktiv"],
  hours: ["operating hours", "betriebszeiten"],
} as const satisfies Record<string, readonly string[]>;
export type DeviceColumn = keyof typeof DEVICE_COLUMNS;

export const SETTING_PREFIX = "settings.";
export const PARAMETER_PREFIX = "param.";

/** Columns whose cells hold numbers, by which a file's decimal sign is found. */
export const NUMBER_COLUMNS: ReadonlySet<string> = new Set<TagColumn>([
  "scale factor",
  "scale offset",
  "range low",
  "range high",
  "deadband",
  "scanMs",
  "heartbeatMs",
]);

/** Names are compared by their letters and digits. */
export const plain = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");

function namesOf(columns: Record<string, readonly string[]>): Map<string, string> {
  const own = Object.keys(columns).map((key): [string, string] => [plain(key), key]);
  const others = Object.entries(columns).flatMap(([key, names]) =>
    names.map((name): [string, string] => [plain(name), key]),
  );
  return new Map([...others, ...own]);
}

/** Settings of all protocols, by their plain names. */
function settingNames(): Map<string, string> {
  const names = DECLARATIONS.flatMap(({ settings }) =>
    Object.keys((settings as TSchema).properties as Record<string, TSchema>),
  );
  return new Map(names.map((name) => [plain(name), `${SETTING_PREFIX}${name}`]));
}

const TAG_NAMES = namesOf(TAG_COLUMNS);
const DEVICE_NAMES = namesOf(DEVICE_COLUMNS);

/** What a column of the header is to us; null for a name nobody knows. */
export function columnOf(kind: "tags" | "devices", name: string): string | null {
  const key = plain(name);
  if (kind === "tags") return TAG_NAMES.get(key) ?? null;
  const parameter = /^param(?:eter)?s?[.\s_-]+(\S.*)$/i.exec(name.trim())?.[1];
  if (parameter !== undefined) return `${PARAMETER_PREFIX}${parameter}`;
  const settings = settingNames();
  const setting = /^settings?[.\s_-]+(.+)$/i.exec(name.trim())?.[1];
  if (setting !== undefined) return settings.get(plain(setting)) ?? null;
  return DEVICE_NAMES.get(key) ?? settings.get(key) ?? null;
}

/** Whether the cells of a column may hold what no answer repeats. */
export const isSecretColumn = (key: string): boolean =>
  key.startsWith(SETTING_PREFIX) && anySecretNames().has(key.slice(SETTING_PREFIX.length));

/** Names a header may use, for a message. */
export const knownColumns = (kind: "tags" | "devices"): string =>
  kind === "tags"
    ? Object.keys(TAG_COLUMNS).join(", ")
    : `${Object.keys(DEVICE_COLUMNS).join(", ")}, ${SETTING_PREFIX}<name>, ${PARAMETER_PREFIX}<name>`;

/** Tags or devices, by what only one of them has. */
export function kindOf(header: readonly string[]): "tags" | "devices" {
  const has = (kind: "tags" | "devices", keys: readonly string[]) =>
    header.some((name) => keys.includes(columnOf(kind, name) ?? ""));
  if (has("tags", ["address", "dataType"])) return "tags";
  return has("devices", ["path", "place", "gateway"]) ? "devices" : "tags";
}
