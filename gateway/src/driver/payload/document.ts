import { isUtf8 } from "node:buffer";

/** Deepest nesting we read; real payloads have five levels, hostile ones a hundred thousand. */
export const DEPTH_MAX = 32;

const WHOLE = /^-?\d+$/;
/** Only then can a whole number be beyond a double; looking at each one costs ten times the parsing. */
const LONG_NUMBER = /\d{16}/;

/**
 * The payload of one message, read at most once however many tags look into it. Nothing here throws: a foreign payload is
 * data.
 */
export class Payload {
  readonly #bytes: Uint8Array;
  #text: string | null | undefined;
  #document: { ok: true; value: unknown } | { ok: false; why: string } | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Null when the bytes are no UTF-8. */
  text(): string | null {
    if (this.#text === undefined) {
      // A byte order mark is no part of a value.
      this.#text = isUtf8(this.#bytes) ? new TextDecoder().decode(this.#bytes) : null;
    }
    return this.#text;
  }

  json(): { ok: true; value: unknown } | { ok: false; why: string } {
    this.#document ??= this.#parse();
    return this.#document;
  }

  #parse(): { ok: true; value: unknown } | { ok: false; why: string } {
    const text = this.text();
    if (text === null) return { ok: false, why: "it is no text (UTF-8)" };
    if (text.trim() === "") return { ok: false, why: "it is empty" };
    if (depthOf(text) > DEPTH_MAX) return { ok: false, why: `it is nested deeper than ${DEPTH_MAX} levels` };
    try {
      return { ok: true, value: LONG_NUMBER.test(text) ? JSON.parse(text, exact) : JSON.parse(text) };
    } catch {
      return { ok: false, why: "it is no JSON" };
    }
  }
}

/** A whole number a double cannot hold stays exact: a 64-bit counter must not lose its last digits. */
function exact(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && WHOLE.test(source) && source.length <= 40 ? BigInt(source) : value;
}

/** Deepest nesting without parsing; brackets in strings do not count. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === 0x5c) at++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x5b || code === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (code === 0x5d || code === 0x7d) depth--;
  }
  return deepest;
}
