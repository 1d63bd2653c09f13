import type { Person } from "@millrace/contract/api/person";
import { momentWords } from "../../state/age.ts";

/** That somebody's passwords and codes are not looked at for now, and until when; null when they are. */
export function lockWords({ lockedUntil }: Pick<Person, "lockedUntil">, nowMs: number): string | null {
  const untilMs = lockedUntil === null ? 0 : Date.parse(lockedUntil);
  return untilMs > nowMs
    ? `Locked until ${momentWords(untilMs, nowMs)}, after wrong passwords or codes`
    : null;
}
