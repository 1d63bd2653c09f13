import { AppError, asAppError } from "@millrace/contract/error/app-error";
import type { ErrorCode } from "@millrace/contract/error/code";
import type { PeerCertificate } from "@millrace/contract/vocabulary/certificate";
import { QUALITY, type QualityCode } from "@millrace/contract/vocabulary/quality";

/** Why something does not work: a code for programs, a sentence for people. */
export interface Cause {
  code: ErrorCode;
  message: string;
  /** What the device showed of itself, when that is the trouble. */
  certificate?: PeerCertificate;
  /** What the driver knew of it, for programs. Never shown as it is. */
  context?: Readonly<Record<string, unknown>>;
}

/** Both clocks, read once per decision. Wall time is for people, monotonic time for intervals. */
export interface Now {
  wallMs: number;
  monoMs: number;
}

export function causeOf(thrown: unknown): Cause {
  const error = asAppError(thrown, "internal.bug");
  const certificate = error.context.certificate as PeerCertificate | undefined;
  return {
    code: error.code,
    message: error.message,
    context: error.context,
    ...(certificate === undefined ? {} : { certificate }),
  };
}

/** A cause as an error again, for whoever asks while it lasts. */
export const errorOf = ({ code, message, certificate }: Cause): AppError =>
  new AppError(code, message, certificate === undefined ? {} : { context: { certificate } });

const QUALITY_OF: Partial<Record<ErrorCode, QualityCode>> = {
  "link.refused": QUALITY["bad.linkRefused"],
  "link.untrusted": QUALITY["bad.linkRefused"],
  "link.denied": QUALITY["bad.linkRefused"],
  "link.lost": QUALITY["bad.linkLost"],
  "link.unreachable": QUALITY["bad.linkLost"],
  "link.garbled": QUALITY["bad.replyGarbled"],
  "device.timeout": QUALITY["bad.deviceTimeout"],
  "device.unreachable": QUALITY["bad.deviceUnreachable"],
  "device.busy": QUALITY["bad.deviceBusy"],
  "device.failed": QUALITY["bad.deviceFailed"],
  "device.refused": QUALITY["bad.accessDenied"],
  "setting.wrong": QUALITY["bad.settingWrong"],
  "address.illegal": QUALITY["bad.addressIllegal"],
};

/** Quality of the tags while this error is the reason that they have no value. */
export const qualityOf = (code: ErrorCode): QualityCode => QUALITY_OF[code] ?? QUALITY["bad.driverFailed"];

/** The link itself is gone, so no device behind it can be asked. */
export const isLinkCode = (code: ErrorCode): boolean => code.startsWith("link.");

/** Trying again changes nothing until somebody changes a setting. */
export const isSettingCode = (code: ErrorCode): boolean => code === "setting.wrong";

/** A driver that throws anything but a link or setting error from `connect` has a bug; the link is still just down. */
export function connectCause(thrown: unknown): Cause {
  const cause = causeOf(thrown);
  if (isLinkCode(cause.code) || isSettingCode(cause.code)) return cause;
  return { code: "link.lost", message: cause.message };
}
