import type {
  DeviceDataQuality,
  GatewayDataQuality,
  QualityUnknown,
} from "@millrace/contract/api/data-quality";
import { allUnknown, type QualityTally, scoresOf } from "./score.ts";
import type { JudgedDevice, JudgedGateway } from "./store.ts";

const factsOf = (tally: QualityTally) => ({
  tagCount: tally.tags,
  uncertainSamples: tally.uncertain,
  badSamples: tally.bad,
  missingMinutes: tally.expected - tally.received,
  frozenTags: tally.frozenTags,
  staleTags: tally.staleTags,
});

export const mapDevice = (device: JudgedDevice, tally: QualityTally): DeviceDataQuality => ({
  deviceId: device.id,
  deviceName: device.name,
  devicePath: device.path,
  gatewayId: device.gatewayId,
  enabled: device.enabled,
  scores: scoresOf(tally, device.enabled),
  ...factsOf(tally),
});

/** @param why it was not counted; null when it was */
export const mapGateway = (
  gateway: JudgedGateway,
  tally: QualityTally,
  why: QualityUnknown | null,
): GatewayDataQuality => ({
  gatewayId: gateway.id,
  gatewayName: gateway.name,
  deviceCount: gateway.deviceCount,
  scores: why === null ? scoresOf(tally, true) : allUnknown(why),
  ...factsOf(tally),
  tagCount: gateway.tagCount,
  lostSamples: tally.lost,
  quarantinedSamples: tally.quarantined,
  clock: gateway.clock,
  clockOffsetMs: gateway.clockOffsetMs,
});
