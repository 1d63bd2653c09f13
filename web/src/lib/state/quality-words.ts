import { QUALITY, type Quality } from "@millrace/contract/vocabulary/quality";

/** Each quality in words for the person in front of the screen. */
const WORDS: Record<Quality, string> = {
  good: "Good",
  "uncertain.outOfRange": "Outside its range",
  "uncertain.clock": "Time not certain",
  "uncertain.substituted": "Substituted by hand",
  "uncertain.unspecified": "Uncertain, no reason given",
  "uncertain.lastUsable": "Last usable value, no newer one",
  "uncertain.initialValue": "Value from start-up, never updated",
  "uncertain.sensorInaccurate": "Sensor not accurate",
  "uncertain.subNormal": "Fewer sources than required",
  "uncertain.ageUnknown": "Age unknown, kept by the broker",
  "bad.unspecified": "Bad, no reason given",
  "bad.linkLost": "Connection to the device lost",
  "bad.linkRefused": "Device refuses the connection",
  "bad.deviceTimeout": "Device not answering",
  "bad.addressIllegal": "Device does not know this address",
  "bad.deviceBusy": "Device busy",
  "bad.deviceUnreachable": "Device behind the converter not answering",
  "bad.valueInvalid": "Device sent an impossible value",
  "bad.notFinite": "Device sent no number",
  "bad.replyGarbled": "Reply garbled",
  "bad.settingWrong": "A setting is wrong",
  "bad.driverFailed": "Driver failed",
  "bad.outOfService": "Out of service",
  "bad.deviceFailed": "Device reports a failure",
  "bad.notConnected": "Source never connected",
  "bad.noCommunication": "Server has no connection to the source",
  "bad.sensorFailed": "Sensor failed",
  "bad.waitingForData": "Server has no value yet",
  "bad.accessDenied": "Device denies reading this",
  "bad.configuration": "Server is configured wrongly",
  "bad.mappingChanged": "Device's program changed: check the mapping",
  "bad.stale": "Nothing heard for too long",
  "bad.deviceOffline": "Device says it is offline",
};

const isKnown = (name: string): name is Quality => Object.hasOwn(QUALITY, name);

/** A reason of a newer hub loses its words, never its level: the level stands before the dot. */
export function qualityWords(name: string): string {
  if (isKnown(name)) return WORDS[name];
  const level = levelOf(name);
  return level === "good" ? "Good" : level === "uncertain" ? "Uncertain" : WORDS["bad.unspecified"];
}

export function levelOf(name: string): "good" | "uncertain" | "bad" {
  const level = name.split(".")[0];
  return level === "good" || level === "uncertain" ? level : "bad";
}
