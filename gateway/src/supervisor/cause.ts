import { asAppError } from "@millrace/contract/error/app-error";
import type { ErrorCode } from "@millrace/contract/error/code";
import { QUALITY, type QualityCode } from "@millrace/contract/vocabulary/quality";

/** Why something does not work: a code for programs, a sentence for people. */
export interface Cause {
  code: ErrorCode;
  message: string;
}

/** Both clocks, read once per decision. Wall time is for people, monotonic time for intervals. */
export interface Now {
  wallMs: number;
  monoMs: number;
}

export function causeOf(thrown: unknown): Cause {
  const error = asAppError(thrown, "internal.bug");
  return { code: error.code, message: error.message };
}

const QUALITY_OF: Partial<Record<ErrorCode, QualityCode>> = {
  "link.refused": QUALITY["bad.linkRefused"],
  "link.lost": QUALITY["bad.linkLost"],
  "link.unreachable": QUALITY["bad.linkLost"],
  "link.garbled": QUALITY["bad.replyGarbled"],
  "device.timeout": QUALITY["bad.deviceTimeout"],
  "device.unreachable": QUALITY["bad.deviceUnreachable"],
  "device.busy": QUALITY["bad.deviceBusy"],
  "device.failed": QUALITY["bad.deviceFailed"],
  "device.refused": QUALITY["bad.accessRefused"],
  "setting.wrong": QUALITY["bad.settingWrong"],
  "address.illegal": QUALITY["bad.addressIllegal"],
};

/** Quality of the tags while this error is the reason that they have no value. */
export const qualityOf = (code: ErrorCode): QualityCode => QUALITY_OF[code] ?? QUALITY["bad.driverFailed"];

/** The link itself is gone, so no device behind it can be asked. */
export const isLinkCode = (code: ErrorCode): boolean => code.startsWith("link.");

/** Trying again changes nothing until somebody changes a setting. */
export const isSettingCode = (code: ErrorCode): boolean => code === "setting.wrong";
