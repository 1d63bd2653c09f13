import { join } from "node:path";
import { AppError } from "@millrace/contract/error/app-error";
import { type Static, Type } from "@sinclair/typebox";
import { readChecked } from "../../identity/checked-file.ts";
import { writeDurably } from "../../identity/durable-file.ts";

/** The PIN of the local page: made by chance at the first start, never from a serial number or an address. */
export const PIN = { digits: 8, charsMin: 8, charsMax: 64 } as const;

/** OWASP's floor for argon2id: a small gateway must be able to check a PIN without starving its polling of memory. */
const HASHING = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;

export const PIN_FILE = "local-pin.json";

const KeptPin = Type.Object({
  /** Salted, so that it also tells one PIN from the next. */
  hash: Type.String({ minLength: 20, maxLength: 300 }),
  /** Made or given, not chosen: whoever signs in with it must choose one. */
  first: Type.Boolean(),
  madeMs: Type.Number(),
});
export type KeptPin = Static<typeof KeptPin>;

export type RandomBytes = (count: number) => Uint8Array;

/** Eight digits, each PIN as likely as each other one. */
export function makePin(randomBytes: RandomBytes): string {
  const count = 10 ** PIN.digits;
  const fair = Math.floor(2 ** 32 / count) * count;
  for (;;) {
    const bytes = randomBytes(4);
    const number = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
    if (number < fair) return String(number % count).padStart(PIN.digits, "0");
  }
}

/** As people read it aloud. */
export const spacedPin = (pin: string): string => pin.replace(/^(\d{4})(\d{4})$/, "$1 $2");

/** The PIN that was meant: spaces and hyphens between digits are only for reading. */
export const plainPin = (text: string): string => {
  const trimmed = text.trim();
  return /^[\d\s-]+$/.test(trimmed) ? trimmed.replace(/[\s-]/g, "") : trimmed;
};

/** Why a PIN may not be chosen; null when it may. */
export function pinProblem(pin: string): string | null {
  if (pin.length < PIN.charsMin) return `Choose at least ${PIN.charsMin} digits or letters.`;
  if (pin.length > PIN.charsMax) return `Choose at most ${PIN.charsMax} digits or letters.`;
  const codes = [...pin].map((char) => char.codePointAt(0)!);
  const steps = new Set(codes.slice(1).map((code, i) => code - codes[i]!));
  const half = pin.slice(0, pin.length / 2);
  if (steps.size === 1 || new Set(codes).size < 3 || half + half === pin)
    return "That one is among the first a stranger tries. Choose another.";
  return null;
}

/** @throws AppError `setting.wrong` when the file is damaged; null when there is none */
export const readPin = (folder: string): Promise<KeptPin | null> =>
  readChecked(join(folder, PIN_FILE), KeptPin, (what, cause) => {
    const path = join(folder, PIN_FILE);
    return new AppError(
      "setting.wrong",
      `${path} is damaged (${what}): nobody can sign in at the local page. Make a new PIN with reset-pin.`,
      { cause, context: { path } },
    );
  });

/** Keeps a hash of the PIN, readable by this user alone. Durable when it returns. */
export async function writePin(folder: string, pin: string, first: boolean, nowMs: number): Promise<KeptPin> {
  const kept: KeptPin = { hash: await Bun.password.hash(plainPin(pin), HASHING), first, madeMs: nowMs };
  await writeDurably(join(folder, PIN_FILE), `${JSON.stringify(kept)}\n`);
  return kept;
}

/** Takes as long for a wrong PIN as for the right one. */
export const isPin = (kept: KeptPin, pin: string): Promise<boolean> =>
  Bun.password.verify(plainPin(pin), kept.hash).catch(() => false);

/**
 * The first PIN of a gateway that has none yet: the one from the settings, else one made by chance.
 * @returns the made one, to be shown once; null when there is nothing to show
 */
export async function firstPin(
  folder: string,
  given: string | undefined,
  randomBytes: RandomBytes,
  nowMs: number,
): Promise<string | null> {
  if ((await readPin(folder)) !== null) return null;
  const pin = given ?? makePin(randomBytes);
  await writePin(folder, pin, true, nowMs);
  return given === undefined ? pin : null;
}
