/** Known flaws of packages, and which of them hold up a release. Pure: the day comes in. */

/** Days a known flaw may stay without anybody saying why. */
export const GRACE_DAYS = 14;
/** Longest a reason counts; then it is looked at again. */
export const WAIVER_DAYS_MAX = 90;

const DAY_MS = 86_400_000;
const HOLDING: ReadonlySet<string> = new Set(["high", "critical"]);

/** A flaw as the registry tells it; it does not say since when it is known. */
export interface Advisory {
  package: string;
  /** The GHSA name where there is one, else its address. */
  id: string;
  severity: string;
  title: string;
}

/**
 * A flaw somebody has seen. Without a reason it holds for the days of grace after `seen`; with one until `until`. The
 * days are dates, YYYY-MM-DD.
 */
export interface Waiver {
  id: string;
  package: string;
  seen: string;
  reason?: string;
  until?: string;
}

/** What `bun audit --json` prints; null when it is not that, which happens when the registry gives no answer. */
export function parseAdvisories(text: string): Advisory[] | null {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof found !== "object" || found === null || Array.isArray(found)) return null;
  const advisories: Advisory[] = [];
  for (const [name, list] of Object.entries(found)) {
    if (!Array.isArray(list)) return null;
    for (const { url = "", severity = "", title = "" } of list as Record<string, string>[])
      advisories.push({ package: name, id: /GHSA-[\w-]+/.exec(url)?.[0] ?? url, severity, title });
  }
  return advisories;
}

/** The last moment a waiver counts, ms; NaN for one that is no waiver. */
function endMs({ seen, reason, until }: Waiver): number {
  const seenMs = Date.parse(`${seen}T00:00:00Z`);
  if (until === undefined) return seenMs + (GRACE_DAYS + 1) * DAY_MS;
  if (reason === undefined || reason.trim().length < 20) return Number.NaN;
  const limitMs = seenMs + (WAIVER_DAYS_MAX + 1) * DAY_MS;
  return Math.min(Date.parse(`${until}T00:00:00Z`) + DAY_MS, limitMs);
}

/** What is wrong: a high or critical flaw nobody has seen, or one that was seen too long ago, or a waiver nobody needs. */
export function auditFindings(
  advisories: readonly Advisory[],
  waivers: readonly Waiver[],
  nowMs: number,
): string[] {
  const holding = advisories.filter(({ severity }) => HOLDING.has(severity));
  const same = (a: { id: string; package: string }, b: { id: string; package: string }) =>
    a.id === b.id && a.package === b.package;
  const open = holding.flatMap((advisory) => {
    const { id, title, severity } = advisory;
    const name = `${advisory.package}: ${severity}, ${id}, ${title}`;
    const waiver = waivers.find((each) => same(each, advisory));
    if (waiver === undefined)
      return [`${name}. Update it, or note in waivers.json that it was seen (${GRACE_DAYS} days).`];
    return nowMs < endMs(waiver) && Date.parse(waiver.seen) <= nowMs
      ? []
      : [`${name}. It was seen on ${waiver.seen}, and the note has run out or gives no reason.`];
  });
  const idle = waivers.filter((waiver) => !holding.some((advisory) => same(advisory, waiver)));
  return [...open, ...idle.map(({ id, package: name }) => `${name}: ${id} is gone; take the waiver out.`)];
}
