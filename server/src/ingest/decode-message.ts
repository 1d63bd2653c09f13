import { AppError, asAppError } from "@millrace/contract/error/app-error";
import { FieldAnswer } from "@millrace/contract/wire/field";
import { LIMITS } from "@millrace/contract/wire/limits";
import {
  Heartbeat,
  Hello,
  ManifestApplied,
  ManifestRefused,
  StatusReport,
  type UplinkMessage,
} from "@millrace/contract/wire/uplink";
import type { TSchema } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { parseJson } from "../http/body.ts";

const compile = <T extends TSchema>(schema: T) => TypeCompiler.Compile(schema);

/** One check a message type: an error then names the field of that message and not "none of five shapes fits". */
const CHECKS = {
  hello: compile(Hello),
  hb: compile(Heartbeat),
  status: compile(StatusReport),
  manifestApplied: compile(ManifestApplied),
  manifestRefused: compile(ManifestRefused),
  fieldAnswer: compile(FieldAnswer),
} satisfies Record<UplinkMessage["type"], unknown>;

const wrong = (message: string) => new AppError("uplink.protocol", message);

/** @throws AppError `uplink.protocol` naming the field and what would be right, never what was found in it */
export function decodeUplinkMessage(text: string): UplinkMessage {
  if (text.length > LIMITS.uplinkTextBytesMax) {
    throw wrong(`A message has at most ${LIMITS.uplinkTextBytesMax} bytes; found ${text.length}`);
  }
  let found: unknown;
  try {
    found = parseJson(text, "any");
  } catch (thrown) {
    throw wrong(`A text message must be plain JSON. ${asAppError(thrown).message}`);
  }
  const type = (found as { type?: unknown } | null)?.type;
  const check =
    typeof type === "string" && Object.hasOwn(CHECKS, type) ? CHECKS[type as keyof typeof CHECKS] : null;
  if (check === null) throw wrong(`type: expected one of ${Object.keys(CHECKS).join(", ")}`);
  if (check.Check(found)) return found as UplinkMessage;
  const error = check.Errors(found).First();
  throw wrong(`${String(type)}${error?.path ?? ""}: ${error?.message ?? "wrong shape"}`);
}
