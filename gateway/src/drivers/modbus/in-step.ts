import { CRC_BYTES, crc16, isRead, type Question, withCrc } from "./question.ts";

/** Questions without an answer that are remembered per unit; the oldest go first. */
const OWED_MAX = 64;
const EXCEPTION_BYTES = 5;
const OFFSETS = 65_536;

/** What stands at a place among received bytes. */
export type Found =
  | { at: "nothing" }
  /** A frame begins here and is not whole yet. */
  | { at: "part" }
  /** A whole frame with a good checksum. */
  | { at: "frame"; bytes: number };

const NOTHING: Found = { at: "nothing" };
const PART: Found = { at: "part" };

export const answerBytes = ({ byteCount, echo }: Question): number =>
  (echo === null ? 3 + byteCount : 1 + echo.length) + CRC_BYTES;

/** Looks for the answer to a question at one place. */
export function answerAt(bytes: Buffer, at: number, question: Question): Found {
  const left = bytes.length - at;
  if (left < 2 || bytes[at] !== question.unit) return NOTHING;
  const functionCode = bytes[at + 1]!;
  if (functionCode === (question.functionCode | 0x80)) return whole(bytes, at, EXCEPTION_BYTES);
  if (functionCode !== question.functionCode) return NOTHING;
  const { echo } = question;
  if (echo === null) {
    if (left > 2 && bytes[at + 2] !== question.byteCount) return NOTHING;
  } else {
    const told = bytes.subarray(at + 1, at + 1 + echo.length);
    if (!told.equals(echo.subarray(0, told.length))) return NOTHING;
  }
  return whole(bytes, at, answerBytes(question));
}

function whole(bytes: Buffer, at: number, length: number): Found {
  if (bytes.length - at < length) return PART;
  const end = at + length - CRC_BYTES;
  return crc16(bytes, at, end) === bytes.readUInt16LE(end) ? { at: "frame", bytes: length } : NOTHING;
}

/** Most that one read asks for, as the standard has it: registers, or bits. */
const countMax = (functionCode: number): number => (functionCode <= 2 ? 2_000 : 125);

interface Entry {
  question: Question;
  sentMs: number;
  untilMs: number;
}

/** An answer that is owed since `sentMs` of the monotonic clock, when its question was sent; else the present one's. */
type Told = Found & { owedSinceMs?: number };

/**
 * Whether question and answer are in step. The frames of a serial line carry no ids: an answer that comes after we
 * stopped waiting looks like the answer to the next question of the same form. A unit answers in order, so whatever
 * comes for a later question settles the earlier ones. Until then a unit is asked nothing by the same function, but a
 * step: a harmless question whose answer nothing else can be.
 */
export class Owed {
  readonly #byUnit = new Map<number, Entry[]>();

  /** @param untilMs when its answer is no longer to be expected, like `sentMs` ms of the monotonic clock */
  add(question: Question, sentMs: number, untilMs: number): void {
    const entries = this.#byUnit.get(question.unit) ?? [];
    entries.push({ question, sentMs, untilMs });
    if (entries.length > OWED_MAX) entries.shift();
    this.#byUnit.set(question.unit, entries);
  }

  /** Whether an answer, or a refusal, that may still come could pass for that to this question. */
  doubts({ unit, functionCode }: Question, nowMs: number): boolean {
    const entries = this.#byUnit.get(unit);
    if (entries === undefined) return false;
    const open = entries.filter(({ untilMs }) => untilMs > nowMs);
    if (open.length === 0) this.#byUnit.delete(unit);
    else this.#byUnit.set(unit, open);
    return open.some(({ question }) => question.functionCode === functionCode);
  }

  /**
   * What stands at a place: an answer that was owed, which is thereby settled with all before it of its unit, or else
   * what `answerAt` says of the present question; its answer settles everything of its unit.
   * @param question null while none is under way
   */
  find(bytes: Buffer, at: number, question: Question | null): Told {
    const entries = this.#byUnit.get(bytes[at]!) ?? [];
    let part = false;
    for (const [index, entry] of entries.entries()) {
      const found = answerAt(bytes, at, entry.question);
      if (found.at === "frame") {
        this.#byUnit.set(entry.question.unit, entries.slice(index + 1));
        return { ...found, owedSinceMs: entry.sentMs };
      }
      part ||= found.at === "part";
    }
    if (question === null) return part ? PART : NOTHING;
    const found = answerAt(bytes, at, question);
    if (found.at === "frame") this.#byUnit.delete(question.unit);
    return part && found.at === "nothing" ? PART : found;
  }

  /**
   * A step for a request: it reads what the request is about, with another number of registers or bits, so that its
   * answer has a length no other answer of that function has. A refusal has no length: `byOther` takes another function,
   * of which none is owed. Null when there is none.
   */
  stepFor(rtu: Buffer, byOther: boolean): Buffer | null {
    const entries = this.#byUnit.get(rtu[0]!) ?? [];
    const asked = rtu[1]!;
    const isBits = asked <= 2 || asked === 5 || asked === 15;
    const own = isRead(asked) ? asked : isBits ? 1 : 3;
    const owes = (code: number) => entries.some(({ question }) => question.functionCode === code);
    const functionCode = byOther ? READS.find((code) => code !== own && !owes(code)) : own;
    if (functionCode === undefined) return null;
    const unit = functionCode <= 2 ? 8 : 1;
    const wanted = isRead(asked) && !byOther ? Math.ceil(rtu.readUInt16BE(4) / unit) : 0;
    const taken = new Set(
      entries.flatMap(({ question }) => (question.functionCode === functionCode ? [question.byteCount] : [])),
    );
    const free = (size: number) => size > 0 && !taken.has(functionCode <= 2 ? size : size * 2);
    const most = Math.min(wanted + OWED_MAX + 1, countMax(functionCode) / unit);
    let size = wanted - 1;
    while (size > 0 && !free(size)) size--;
    if (size <= 0) for (size = wanted + 1; size <= most && !free(size); ) size++;
    return size > most ? null : readRequest(rtu[0]!, functionCode, rtu.readUInt16BE(2), size * unit);
  }
}

const READS = [3, 4, 1, 2] as const;

function readRequest(unit: number, functionCode: number, offset: number, count: number): Buffer {
  const body = Buffer.alloc(6);
  body[0] = unit;
  body[1] = functionCode;
  body.writeUInt16BE(Math.min(offset, OFFSETS - count), 2);
  body.writeUInt16BE(count, 4);
  return withCrc(body);
}
