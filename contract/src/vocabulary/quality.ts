/**
 * Quality of a sample: a level and a reason, as one stable code. Good is 0..63, uncertain 64..127, bad 128..255.
 * Codes are never reused: old blocks must keep their meaning.
 */
export const QUALITY = {
  good: 0,
  "uncertain.outOfRange": 64,
  "uncertain.clock": 65,
  "uncertain.substituted": 66,
  "uncertain.unspecified": 67,
  "uncertain.lastUsable": 68,
  "uncertain.initialValue": 69,
  "uncertain.sensorInaccurate": 70,
  "uncertain.subNormal": 71,
  "uncertain.ageUnknown": 72,
  "bad.unspecified": 128,
  "bad.linkLost": 129,
  "bad.linkRefused": 130,
  "bad.deviceTimeout": 131,
  "bad.addressIllegal": 132,
  "bad.deviceBusy": 133,
  "bad.deviceUnreachable": 134,
  "bad.valueInvalid": 135,
  "bad.notFinite": 136,
  "bad.replyGarbled": 137,
  "bad.settingWrong": 138,
  "bad.driverFailed": 139,
  "bad.outOfService": 140,
  "bad.deviceFailed": 141,
  "bad.notConnected": 142,
  "bad.noCommunication": 143,
  "bad.sensorFailed": 144,
  "bad.waitingForData": 145,
  "bad.accessDenied": 146,
  "bad.configuration": 147,
  "bad.mappingChanged": 148,
  "bad.stale": 160,
  "bad.deviceOffline": 161,
} as const;

export type Quality = keyof typeof QUALITY;
export type QualityCode = number;
export type QualityLevel = "good" | "uncertain" | "bad";

const BY_CODE = new Map<number, Quality>(
  Object.entries(QUALITY).map(([name, code]) => [code, name as Quality]),
);

/** Level of any code, also of one a newer gateway invented: the ranges are part of the contract. */
export function qualityLevel(code: QualityCode): QualityLevel {
  return code < 64 ? "good" : code < 128 ? "uncertain" : "bad";
}

/** Name of a code. A code from a newer version keeps its level and loses only its reason. */
export function qualityName(code: QualityCode): string {
  return BY_CODE.get(code) ?? (qualityLevel(code) === "good" ? "good" : `${qualityLevel(code)}.unspecified`);
}
