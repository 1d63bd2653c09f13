import { QUALITY, type Quality, type QualityCode } from "@millrace/contract/vocabulary/quality";

/**
 * Status codes of OPC 10000-4 (7.39) and OPC 10000-8 that have a quality of their own, by their upper 16 bits. Every
 * other code keeps its level. So the sub-code is stored with each sample, in the one byte a quality has.
 */
const OF_CODE: Readonly<Record<number, Quality>> = {
  // Good, but set by hand.
  150: "uncertain.substituted",
  16527: "uncertain.lastUsable",
  16528: "uncertain.lastUsable",
  16529: "uncertain.substituted",
  16530: "uncertain.initialValue",
  16531: "uncertain.sensorInaccurate",
  16532: "uncertain.outOfRange",
  16533: "uncertain.subNormal",
  32773: "bad.noCommunication",
  32778: "bad.deviceTimeout",
  32780: "bad.outOfService",
  32781: "bad.noCommunication",
  32782: "bad.deviceBusy",
  32799: "bad.accessDenied",
  32817: "bad.noCommunication",
  32818: "bad.waitingForData",
  32819: "bad.addressIllegal",
  32820: "bad.addressIllegal",
  32821: "bad.addressIllegal",
  32822: "bad.addressIllegal",
  32823: "bad.addressIllegal",
  32826: "bad.accessDenied",
  32828: "bad.valueInvalid",
  32830: "bad.addressIllegal",
  32884: "bad.valueInvalid",
  32905: "bad.configuration",
  32906: "bad.notConnected",
  32907: "bad.deviceFailed",
  32908: "bad.sensorFailed",
  32909: "bad.outOfService",
  33002: "bad.addressIllegal",
};

/** Level in the two highest bits: 0 good, 1 uncertain, 2 bad; 3 is reserved and therefore not to be believed. */
export function qualityOfStatus(code: number): QualityCode {
  const known = OF_CODE[(code >>> 16) & 0xffff];
  if (known !== undefined) return QUALITY[known];
  const level = code >>> 30;
  if (level === 0) return QUALITY.good;
  return level === 1 ? QUALITY["uncertain.unspecified"] : QUALITY["bad.unspecified"];
}

/** The server threw values of this tag away because its queue was full (info type DataValue, bit Overflow). */
export const overflowed = (code: number): boolean => (code & 0x0c00) === 0x0400 && (code & 0x0080) !== 0;

/** The server does not know the node, and may know it later: it is still starting, or its program is being loaded. */
export const isMissing = (code: number): boolean =>
  [0x8033, 0x8034, 0x8035, 0x8032, 0x800d, 0x808a].includes((code >>> 16) & 0xffff);

/** The server takes no filter of ours; without one it takes the item (S7-1200 among others). */
export const refusesFilter = (code: number): boolean =>
  [0x8043, 0x8044, 0x8045, 0x808e].includes((code >>> 16) & 0xffff);
