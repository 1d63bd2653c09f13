import { AppError } from "@millrace/contract/error/app-error";
import { LIMITS } from "@millrace/contract/wire/limits";

export const DEPTH_MAX = 64;
/**
 * Own properties of these names could reach an object's prototype further in, or stand in for what every object can: one
 * whose `toString` is a number cannot even be told of in an error. None of our messages has them.
 */
const KEYS_REFUSED: ReadonlySet<string> = new Set([
  "prototype",
  ...Object.getOwnPropertyNames(Object.prototype),
]);

const [QUOTE, COLON, BACKSLASH] = [0x22, 0x3a, 0x5c];

const malformed = (message: string, cause?: unknown) => new AppError("request.malformed", message, { cause });

/**
 * Reads at most `bytesMax` of a body, whatever length it claims to have.
 * @throws AppError `request.tooLarge`
 */
export async function readBytes(request: Request, bytesMax: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new AppError("request.tooLarge", `A request may hold ${bytesMax} bytes.`, { context: { bytesMax } });
  if (Number(request.headers.get("content-length") ?? 0) > bytesMax) throw tooLarge();
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The same as text. @throws AppError `request.malformed` for what is not UTF-8, `request.tooLarge` */
export async function readText(request: Request, bytesMax: number = LIMITS.apiBodyBytesMax): Promise<string> {
  const bytes = await readBytes(request, bytesMax);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw malformed("The body is not UTF-8.", cause);
  }
}

/** Members written in well-formed JSON: its colons outside texts. */
function membersIn(text: string): number {
  let members = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === COLON) members++;
    if (code !== QUOTE) continue;
    for (at++; text.charCodeAt(at) !== QUOTE; at++) if (text.charCodeAt(at) === BACKSLASH) at++;
  }
  return members;
}

/**
 * Refuses what is JSON yet cannot be stored or walked safely. Iterative: depth is the sender's choice.
 * @returns how many members there are, each name of an object counted once
 */
function checkParts(root: unknown, texts: "storable" | "any"): number {
  let members = 0;
  const open: { value: unknown; depth: number }[] = [{ value: root, depth: 0 }];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { value, depth } = at;
    if (typeof value === "string") {
      if (texts === "storable" && (!value.isWellFormed() || value.includes("\0")))
        throw malformed("A text holds a NUL or half a character.");
    } else if (typeof value === "number") {
      if (!Number.isFinite(value)) throw malformed("A number is too large.");
      if (Object.is(value, -0)) throw malformed("A number is minus zero, which would be stored as another.");
    } else if (typeof value === "object" && value !== null) {
      if (depth >= DEPTH_MAX) throw malformed(`The body is nested more than ${DEPTH_MAX} deep.`);
      for (const key of Object.keys(value)) {
        if (!Array.isArray(value)) {
          if (KEYS_REFUSED.has(key)) throw malformed(`A member may not be called ${key}.`);
          open.push({ value: key, depth });
          members++;
        }
        open.push({ value: (value as Record<string, unknown>)[key], depth: depth + 1 });
      }
    }
  }
  return members;
}

/**
 * Parses JSON from outside.
 *
 * @param texts `any` for what is not stored as it comes: a machine's text may hold a NUL
 * @throws AppError `request.malformed` | `request.tooLarge`
 */
export function parseJson(text: string, texts: "storable" | "any" = "storable"): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw malformed(
      text === "" ? "The body is empty; JSON was expected." : "The body is not well-formed JSON.",
      cause,
    );
  }
  // Of two the parser keeps the last; a filter in front of the hub may have judged the first.
  if (checkParts(value, texts) !== membersIn(text)) throw malformed("An object names a member twice.");
  return value;
}

/** The one parser of all API routes: JSON and nothing else, so that no HTML form can reach them (CSRF). */
export async function parseBody(
  request: Request,
  contentType: string,
  bytesMax: number = LIMITS.apiBodyBytesMax,
): Promise<unknown> {
  // A DELETE has nothing to say. Whoever must say something is told so by the route's own schema.
  if (request.body === null && contentType === "") return undefined;
  if (contentType.split(";")[0]?.trim().toLowerCase() !== "application/json") {
    throw malformed("Send the body as application/json.");
  }
  return parseJson(await readText(request, bytesMax));
}
