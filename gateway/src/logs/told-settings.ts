import { secretValuesOf } from "@millrace/contract/driver/secret-settings";
import { sparkplugDeclaration } from "@millrace/contract/sparkplug/settings";
import { isSecretName } from "@millrace/contract/std/redact";
import { EVENT, type GatewayEvent } from "@millrace/contract/wire/event";
import type { ManifestDevice, ManifestSparkplug } from "@millrace/contract/wire/manifest";
import { Settings } from "../settings.ts";

const CHARS_MAX = 200;

/** What this program runs with, for the support bundle at the hub; of a secret only whether it is set. */
export function settingsEvent(settings: Settings, timeMs: number): GatewayEvent {
  const facts = Object.entries(Settings.properties).map(([name, schema]) => {
    const value: unknown = settings[name as keyof Settings];
    const secret = (schema as { secret?: boolean }).secret === true || isSecretName(name);
    if (secret) return [name, value === undefined ? "not set" : "set"] as const;
    if (typeof value === "number" || typeof value === "boolean") return [name, value] as const;
    return [name, String(value ?? "").slice(0, CHARS_MAX)] as const;
  });
  const code = "gateway.settings";
  return {
    timeMs,
    code,
    severity: EVENT[code],
    message: "What this gateway runs with.",
    data: Object.fromEntries(facts),
  };
}

/** Every value in the settings of the devices that must not be told anywhere. */
export const deviceSecrets = (devices: readonly ManifestDevice[]): string[] => [
  ...new Set(devices.flatMap(({ driver, settings }) => secretValuesOf(driver, settings))),
];

export const sparkplugSecrets = (sparkplug: ManifestSparkplug | undefined): string[] =>
  sparkplug === undefined ? [] : secretValuesOf(sparkplugDeclaration.kind, sparkplug.settings);
