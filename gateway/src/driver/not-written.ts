import type { ErrorCode } from "@millrace/contract/error/code";
import type { WriteOutcome } from "./driver.ts";

/** Why a value is not in the device. @param maybe it was sent and no answer came, so that it may be there all the same */
export const notWritten = (id: number, code: ErrorCode, message: string, maybe = false): WriteOutcome => ({
  id,
  done: false,
  maybe,
  code,
  message,
});
