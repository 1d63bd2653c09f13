import type { BusFinding } from "@millrace/contract/wire/bus";
import { LIMITS } from "@millrace/contract/wire/limits";
import { type Diagnose, type Finding, LINK_KIND, type LineFacts } from "../driver/doctor.ts";
import { answerFindings } from "./answer-rules.ts";
import { busFindings } from "./bus-rules.ts";
import { linkFindings } from "./link-rules.ts";

const WORDS_MAX = 700;
const ORDER = { fault: 0, warn: 1, hint: 2 } as const;

/**
 * What is wrong with a connection, the most urgent first: by what is at stake, then by the share of the work that suffers.
 * Pure: figures in, sentences out.
 * @param own what the protocol's driver knows to say; its word on the link stands before the general one
 */
export function diagnose(facts: LineFacts, own: Diagnose = () => []): BusFinding[] {
  const special = own(facts);
  const explained = special.some(({ kind }) => kind.startsWith(LINK_KIND));
  const general = linkFindings(facts).filter(({ kind }) => !explained || !kind.startsWith(LINK_KIND));
  return dropCovered([...special, ...general, ...answerFindings(facts), ...busFindings(facts)])
    .toSorted((a, b) => ORDER[a.level] - ORDER[b.level] || b.weight - a.weight)
    .slice(0, LIMITS.busFindingsMax)
    .map(({ weight: _, ...finding }) => ({ ...finding, words: finding.words.slice(0, WORDS_MAX) }));
}

/** Kinds that follow from another one: who reads both would look in two places. */
const COVERED: Readonly<Record<string, readonly string[]>> = {
  "link.": ["line.silent", "unit.silent", "connection.flaps", "cycles.missed"],
  "serial.": ["answers.garbled", "line.silent"],
  "ids.notEchoed": [
    "line.silent",
    "unit.silent",
    "line.lossy",
    "timeout.tight",
    "bus.waiting",
    "connection.flaps",
    "answers.stray",
  ],
};

function dropCovered(findings: readonly Finding[]): Finding[] {
  const covered = new Set(
    Object.entries(COVERED).flatMap(([by, kinds]) =>
      findings.some(({ kind }) => kind.startsWith(by)) ? kinds : [],
    ),
  );
  return findings.filter(({ kind }) => !covered.has(kind));
}
