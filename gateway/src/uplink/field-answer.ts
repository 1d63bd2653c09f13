import { getLogger } from "@logtape/logtape";
import type { FieldRequest } from "@millrace/contract/wire/field";
import { LIMITS } from "@millrace/contract/wire/limits";
import type { UplinkMessage } from "@millrace/contract/wire/uplink";
import type { FieldDesk } from "../field/desk.ts";

const log = getLogger(["gateway", "uplink"]);

export type FieldPort = Pick<FieldDesk, "kinds" | "take" | "cancel" | "abandon">;

/** Lets the desk try what the hub asks. Null when nobody waits for the answer any more; never the end of the session. */
export async function answerField(
  desk: FieldPort | undefined,
  request: FieldRequest,
): Promise<UplinkMessage | null> {
  const { requestId } = request;
  const refuse = (code: string, message: string): UplinkMessage => ({
    type: "fieldAnswer",
    requestId,
    result: { kind: "refused", code, message },
  });
  if (desk === undefined) return refuse("field.unsupported", "This gateway takes no tests at devices.");
  const result = await desk.take(request);
  if (result === null) return null;
  const answer: UplinkMessage = { type: "fieldAnswer", requestId, result };
  // The hub ends the session of a message it holds for too large; texts of a device may be anything.
  if (Buffer.byteLength(JSON.stringify(answer)) <= LIMITS.uplinkTextBytesMax) return answer;
  log.warn("the answer of a test at a device is too large and was not sent");
  return refuse(
    "request.tooLarge",
    "The values are too long for one answer. Ask for fewer text tags at once.",
  );
}
