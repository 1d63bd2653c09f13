import { AppError } from "@millrace/contract/error/app-error";
import { LIMITS } from "@millrace/contract/wire/limits";
import { LiveClientMessage } from "@millrace/contract/wire/live";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { parseJson } from "../http/body.ts";

const check = TypeCompiler.Compile(LiveClientMessage);

/** @throws AppError `request.malformed` | `request.invalid` naming the field */
export function decodeLiveMessage(text: string): LiveClientMessage {
  if (text.length > LIMITS.liveTextBytesMax) {
    throw new AppError("request.malformed", `A message has at most ${LIMITS.liveTextBytesMax} bytes.`);
  }
  const found = parseJson(text);
  if (check.Check(found)) return found;
  const tags = (found as { tags?: unknown } | null)?.tags;
  const many = Array.isArray(tags) && tags.length > LIMITS.liveTagsMax;
  throw new AppError(
    "request.invalid",
    many
      ? `tags: found ${tags.length}, at most ${LIMITS.liveTagsMax} at once.`
      : 'Expected {"type":"subscribe","id":1,"tags":[1,2]} or {"type":"hb"}.',
  );
}
