import type { FieldBody } from "@millrace/contract/wire/field";
import type { Manifest, ManifestDevice, ManifestSparkplug } from "@millrace/contract/wire/manifest";
import { fieldSealText, manifestSealText } from "@millrace/contract/wire/sealed";
import type { SealingKey } from "../identity/sealing-key.ts";

/** Devices of a verified manifest with their secrets opened. */
export const openedDevices = (
  key: SealingKey,
  { hubId, gatewayId, devices }: Pick<Manifest, "hubId" | "gatewayId" | "devices">,
): ManifestDevice[] =>
  devices.map((device) => ({
    ...device,
    settings: key.opened(device.settings, (setting) => manifestSealText({ hubId, gatewayId, setting })),
  }));

/** The edge node of a verified manifest with its secrets opened. */
export const openedSparkplug = (
  key: SealingKey,
  { hubId, gatewayId, sparkplug }: Pick<Manifest, "hubId" | "gatewayId" | "sparkplug">,
): ManifestSparkplug | undefined =>
  sparkplug && {
    ...sparkplug,
    settings: key.opened(sparkplug.settings, (setting) => manifestSealText({ hubId, gatewayId, setting })),
  };

/** Settings of a test at a device with their secrets opened. */
export const openedSettings = (
  key: SealingKey,
  { hubId, gatewayId }: { hubId: string; gatewayId: string },
  { driver, settings }: Pick<FieldBody, "driver" | "settings">,
): Record<string, unknown> =>
  key.opened(settings, (setting) => fieldSealText({ hubId, gatewayId, setting }, { driver, settings }));
