import { AppError } from "../error/app-error.ts";
import { sparkplugDeclaration } from "../sparkplug/settings.ts";
import type { DriverDeclaration, SettingsDeclaration } from "./declaration.ts";
import { modbusDeclaration } from "./modbus/declaration.ts";
import { mqttDeclaration } from "./mqtt/declaration.ts";
import { opcuaDeclaration } from "./opcua/declaration.ts";
import { pushDeclaration } from "./push/declaration.ts";
import { s7Declaration } from "./s7/declaration.ts";
import { simulatorDeclaration } from "./simulator/declaration.ts";

/**
 * A declaration of any settings and address. Callers treat both as opaque: settings come from `decodeSettings`,
 * addresses from `parseAddress` of the same declaration.
 */
export type AnyDeclaration = DriverDeclaration;

/** Every protocol Millrace knows. */
export const DECLARATIONS: readonly AnyDeclaration[] = [
  modbusDeclaration as unknown as AnyDeclaration,
  mqttDeclaration as unknown as AnyDeclaration,
  opcuaDeclaration as unknown as AnyDeclaration,
  pushDeclaration as unknown as AnyDeclaration,
  s7Declaration as unknown as AnyDeclaration,
  simulatorDeclaration as unknown as AnyDeclaration,
];

/** @throws AppError `setting.wrong` naming the kinds we know. */
export function declarationOf(kind: string): AnyDeclaration {
  const declaration = DECLARATIONS.find((one) => one.kind === kind);
  if (declaration !== undefined) return declaration;
  const known = DECLARATIONS.map((one) => one.kind);
  throw new AppError(
    "setting.wrong",
    `No driver is called "${kind.slice(0, 40)}"; known are ${known.join(", ")}.`,
    {
      context: { setting: "driver", found: kind.slice(0, 40), known },
    },
  );
}

/** Whatever has settings of its own, by kind: every driver, and what else connects. Undefined for what we do not know. */
export const settingsDeclarationOf = (kind: string): SettingsDeclaration | undefined =>
  kind === sparkplugDeclaration.kind
    ? (sparkplugDeclaration as unknown as SettingsDeclaration)
    : DECLARATIONS.find((one) => one.kind === kind);
