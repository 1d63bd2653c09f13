import { getLogger } from "@logtape/logtape";
import { decodeSettings } from "@millrace/contract/driver/settings";
import { asAppError } from "@millrace/contract/error/app-error";
import type { ManifestDevice } from "@millrace/contract/wire/manifest";
import type { Point } from "../driver/driver.ts";
import { type AnyDriver, driverOf } from "../driver/registry.ts";
import { type Cause, causeOf } from "./cause.ts";

const log = getLogger(["gateway", "device"]);

/** A device of the manifest, checked as far as it can be without the network. */
export interface PreparedDevice {
  driver: AnyDriver;
  settings: unknown;
  connectionKey: string;
  /** One per tag, in their order; null where the address cannot be read. */
  points: (Point | null)[];
  /** Positions of the tags whose address is wrong, with the reason. */
  wrong: { index: number; cause: Cause }[];
}

/**
 * Checks settings and addresses. A wrong address spoils only its tag.
 * @throws AppError `setting.wrong` for an unknown driver or wrong settings.
 */
export function prepareDevice(device: ManifestDevice, find = driverOf): PreparedDevice {
  const driver = find(device.driver);
  const settings = decodeSettings(driver, device.settings) as never;
  const wrong: PreparedDevice["wrong"] = [];
  const points = device.tags.map((tag, index): Point | null => {
    try {
      const address = driver.parseAddress(tag.address, tag.dataType, settings);
      return { id: tag.tagNo, address, dataType: tag.dataType };
    } catch (thrown) {
      wrong.push({ index, cause: causeOf(asAppError(thrown, "address.illegal")) });
      return null;
    }
  });
  return {
    driver,
    settings,
    connectionKey: `${driver.kind}:${driver.connectionKey(settings)}`,
    points,
    wrong,
  };
}

/** One line for all wrong addresses of a device, with the first reason. */
export function logWrongAddresses(device: string, { wrong }: PreparedDevice): void {
  if (wrong.length === 0) return;
  const reason = wrong[0]?.cause.message;
  log.warn("{device}: {count} tags have a wrong address, the first: {reason}", {
    device,
    count: wrong.length,
    reason,
  });
}
