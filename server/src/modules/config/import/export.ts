import { DECLARATIONS } from "@millrace/contract/driver/registry";
import { secretNamesOf } from "@millrace/contract/driver/secret-settings";
import { AppError } from "@millrace/contract/error/app-error";
import { hoursText } from "@millrace/contract/hours/text";
import { isSecretName } from "@millrace/contract/std/redact";
import type { ProfileTag } from "@millrace/contract/vocabulary/tag";
import type { TSchema } from "@sinclair/typebox";
import { guard } from "../../formula.ts";
import { byName, type ConfigState, type DeviceContent, type ProfileContent } from "../state.ts";
import { PARAMETER_PREFIX, SETTING_PREFIX, TAG_COLUMNS, type TagColumn } from "./columns.ts";
import { choices } from "./fragment.ts";
import { shown } from "./limits.ts";
import { settingText } from "./setting-cells.ts";
import type { Decimal } from "./sheet.ts";
import type { Delimiter } from "./table.ts";

/** How an export is written; the import finds both out by itself. */
export interface CsvForm {
  delimiter: Delimiter;
  decimal: Decimal;
}

type Value = string | number | boolean | undefined;

/** Spreadsheets read UTF-8 as something else without it. */
const BYTE_ORDER_MARK = "\uFEFF";

function cellOf(value: Value, { delimiter, decimal }: CsvForm): string {
  if (value === undefined || value === "") return "";
  const text =
    typeof value === "string"
      ? guard(value)
      : typeof value === "number" && decimal === ","
        ? String(value).replace(".", ",")
        : String(value);
  const quoted = text.includes(delimiter) || /["\r\n]/.test(text) || text !== text.trim();
  return quoted ? `"${text.replaceAll('"', '""')}"` : text;
}

const csvOf = (header: readonly string[], rows: readonly Value[][], form: CsvForm): string =>
  `${BYTE_ORDER_MARK}${[header, ...rows]
    .map((row) => row.map((value) => cellOf(value, form)).join(form.delimiter))
    .join("\r\n")}\r\n`;

const TAG_CELLS: Record<TagColumn, (tag: ProfileTag, profile: string) => Value> = {
  profile: (_tag, profile) => profile,
  name: ({ name }) => name,
  address: ({ address }) => address,
  dataType: ({ dataType }) => dataType,
  unit: ({ unit }) => unit,
  description: ({ description }) => description,
  "scale factor": ({ scale }) => scale?.factor,
  "scale offset": ({ scale }) => scale?.offset,
  "range low": ({ range }) => range?.low,
  "range high": ({ range }) => range?.high,
  deadband: ({ deadband }) => deadband,
  scanMs: ({ scanMs }) => scanMs,
  heartbeatMs: ({ heartbeatMs }) => heartbeatMs,
  interpolation: ({ interpolation }) => interpolation,
  retention: ({ retention }) => retention,
};

/** @throws AppError `entity.missing` for a profile that is not there */
function profilesOf(state: ConfigState, profile: string | null): [string, ProfileContent][] {
  const all = [...state.profile].sort(byName);
  if (profile === null) return all;
  const found = all.filter(([, { name }]) => name === profile);
  if (found.length > 0) return found;
  throw new AppError(
    "entity.missing",
    `There is no profile ${shown(profile)}; ${choices(all.map(([, { name }]) => name))}.`,
  );
}

/**
 * The tags of one profile, or of all, in exactly the form the import takes.
 * @throws AppError `entity.missing` for a profile that is not there
 */
export function exportTags(state: ConfigState, profile: string | null, form: CsvForm): string {
  const columns = Object.keys(TAG_COLUMNS) as TagColumn[];
  const rows = profilesOf(state, profile).flatMap(([, { name, tags }]) =>
    tags.map((tag) => columns.map((column) => TAG_CELLS[column](tag, name))),
  );
  return csvOf(columns, rows, form);
}

/** Settings a file may show, in the order of the schemas. */
function openSettings(): string[] {
  const names = DECLARATIONS.flatMap(({ kind, settings }) => {
    const secret = secretNamesOf(kind);
    const all = Object.keys((settings as TSchema).properties as Record<string, TSchema>);
    return all.filter((name) => !secret.has(name) && !isSecretName(name));
  });
  return [...new Set(names)];
}

/** Parameters that one of the devices gives a value. */
const valuedParameters = (devices: readonly [string, DeviceContent][]): string[] =>
  [...new Set(devices.flatMap(([, { parameters }]) => Object.keys(parameters)))].sort();

/**
 * The devices of one profile, or all, in exactly the form the import takes. Secret settings have no column; the import
 * leaves what has no column as it is.
 * @throws AppError `entity.missing` for a profile that is not there
 */
export function exportDevices(state: ConfigState, profile: string | null, form: CsvForm): string {
  const profiles = new Map(profilesOf(state, profile));
  const devices = [...state.device].sort(byName).filter(([, { profileId }]) => profiles.has(profileId));
  const used = openSettings().filter((name) => devices.some(([, { settings }]) => name in settings));
  const valued = valuedParameters(devices);
  const timed = devices.some(([, { hours }]) => hours !== null);
  const rows = devices.map(
    ([, { path, profileId, gatewayId, enabled, settings, parameters, hours }]): Value[] => [
      path,
      profiles.get(profileId)?.name,
      state.gateway.get(gatewayId)?.name,
      enabled,
      ...(timed ? [hoursText(hours)] : []),
      ...valued.map((name) => parameters[name]),
      ...used.map((name) => {
        const value = settings[name];
        if (value === undefined || value === null) return undefined;
        return typeof value === "number" ? value : settingText(value);
      }),
    ],
  );
  const header = [
    ...["path", "profile", "gateway", "enabled", ...(timed ? ["hours"] : [])],
    ...valued.map((name) => `${PARAMETER_PREFIX}${name}`),
    ...used.map((name) => `${SETTING_PREFIX}${name}`),
  ];
  return csvOf(header, rows, form);
}
