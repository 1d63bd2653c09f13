import type { FieldProblem, FieldTag, FieldTagResult } from "@millrace/contract/api/field";
import { ERROR, type ErrorCode } from "@millrace/contract/error/code";
import type { FieldCause, FieldReading } from "@millrace/contract/wire/field";

/** A gateway's cause with the next step of our table; a code of a newer gateway has none. */
export const mapCause = ({ code, message, certificate }: FieldCause): FieldProblem => ({
  code,
  message,
  ...(certificate === undefined ? {} : { certificate }),
  nextStep: Object.hasOwn(ERROR, code) ? ERROR[code as ErrorCode].nextStep : "",
});

export const withCause = ({ cause }: { cause?: FieldCause | undefined }): { cause?: FieldProblem } =>
  cause === undefined ? {} : { cause: mapCause(cause) };

export const mapReading = ({ name }: FieldTag, reading: FieldReading): FieldTagResult => ({
  name,
  raw: reading.raw,
  value: reading.value,
  quality: reading.quality,
  ...withCause(reading),
});
