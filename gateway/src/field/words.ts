import type { ErrorCode } from "@millrace/contract/error/code";
import type { PeerCertificate } from "@millrace/contract/vocabulary/certificate";
import {
  type Quality,
  type QualityCode,
  qualityLevel,
  qualityName,
} from "@millrace/contract/vocabulary/quality";
import type { FieldCause } from "@millrace/contract/wire/field";

/** Longest sentence in an answer. */
const MESSAGE_CHARS_MAX = 500;

type Words = readonly [code: ErrorCode | Quality, message: string];

/** What a quality means to somebody who looks at one tag. Codes of the error table bring their next step along. */
const WORDS: Partial<Record<Quality, Words>> = {
  "bad.linkLost": ["link.lost", "The connection was lost before this point was read."],
  "bad.linkRefused": ["link.refused", "The device refused the connection."],
  "bad.deviceTimeout": ["device.timeout", "The device did not answer the request for this point in time."],
  "bad.addressIllegal": ["address.illegal", "The device refuses this address."],
  "bad.deviceBusy": ["device.busy", "The device says that it is busy."],
  "bad.deviceUnreachable": ["device.unreachable", "The converter answers, the device behind it does not."],
  "bad.deviceFailed": ["device.failed", "The device reports a failure of its own."],
  "bad.accessDenied": ["device.refused", "The device does not allow access to this point."],
  "bad.mappingChanged": [
    "bad.mappingChanged",
    "The program of the device has changed, so this address may hold another value. Check it, then publish the device again.",
  ],
  "bad.replyGarbled": [
    "link.garbled",
    "The answer for this point was damaged or belonged to something else.",
  ],
  "bad.settingWrong": ["setting.wrong", "A setting is wrong."],
  "bad.notFinite": [
    "bad.notFinite",
    "These bytes are no number in this data type (NaN or infinity). Check the data type and the word order.",
  ],
  "bad.valueInvalid": [
    "bad.valueInvalid",
    "The device gave something this data type cannot hold. Check the data type.",
  ],
};

/** Where a driver may know more of a point than its quality says. */
const KNOWN_BY_DRIVER = ["bad.addressIllegal", "bad.accessDenied", "bad.mappingChanged"];

/** Why a point has no good value; undefined when it has one. @param known what the driver knows of the point */
export function causeOfQuality(quality: QualityCode, known: string | null): FieldCause | undefined {
  if (qualityLevel(quality) === "good") return undefined;
  const name = qualityName(quality);
  const [code, message] = WORDS[name as Quality] ?? [name, `The value is ${name}.`];
  return fieldCause(code, KNOWN_BY_DRIVER.includes(name) && known !== null ? `${known}.` : message);
}

/** A cause that fits its schema, however long the words of a driver are. */
export const fieldCause = (code: string, message: string, certificate?: PeerCertificate): FieldCause => ({
  code: code.slice(0, 64),
  message: message.length > MESSAGE_CHARS_MAX ? `${message.slice(0, MESSAGE_CHARS_MAX - 1)}…` : message,
  ...(certificate === undefined ? {} : { certificate }),
});
