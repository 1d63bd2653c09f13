import { ITEMS, type Item, type Pending } from "./item-list.ts";

/** A test whose name says which items it proves. */
export interface Proof {
  file: string;
  name: string;
  ids: string[];
}

/**
 * First argument of `test(` and of `test.each(…)(`, when it begins with items. A group of tests proves nothing by its
 * name: only what runs does.
 */
const NAMED = /(?:\b(?:test|it)\(|\]\)\(|\)\)\()\s*(["`])((S\d\d(?:, S\d\d)*): (?:(?!\1)[^\\\n]|\\.)*)\1/g;

/** What one file of tests proves. */
export const proofsIn = (file: string, text: string): Proof[] =>
  [...text.matchAll(NAMED)].map(([, , name = "", ids = ""]) => ({ file, name, ids: ids.split(", ") }));

export interface Standing {
  item: Item;
  proofs: Proof[];
  pending: Pending | null;
}

export const standings = (proofs: readonly Proof[], pending: Readonly<Record<string, Pending>>): Standing[] =>
  ITEMS.map((item) => ({
    item,
    proofs: proofs.filter(({ ids }) => ids.includes(item.id)),
    pending: pending[item.id] ?? null,
  }));

/** Items nobody answers for, entries of the pending list that are out of date, and tests that name no item there is. */
export function itemFindings(proofs: readonly Proof[], pending: Readonly<Record<string, Pending>>): string[] {
  const known = new Set(ITEMS.map(({ id }) => id));
  const unknown = [...proofs.flatMap(({ ids }) => ids), ...Object.keys(pending)].filter(
    (id) => !known.has(id),
  );
  return [
    ...unknown.map((id) => `${id}: there is no such item`),
    ...standings(proofs, pending).flatMap(({ item: { id }, proofs: found, pending: open }) => {
      if (found.length === 0 && open === null) return [`${id}: neither a test nor a reason why not yet`];
      if (found.length === 0 && open?.part === true)
        return [`${id}: listed as proved in part, but no test names it`];
      if (found.length > 0 && open !== null && open.part !== true)
        return [`${id}: has tests now; take it out of PENDING, or say what is left (part)`];
      return open !== null && open.why.length < 10 ? [`${id}: no reason given`] : [];
    }),
  ];
}

const cell = (text: string): string =>
  text.replace(/[\\|*_`<>[\]]/g, (sign) => (sign === "`" ? "'" : `\\${sign}`)).replace(/\s+/g, " ");

function stateOf({ proofs, pending }: Standing): string {
  if (pending === null) return "tested";
  const rest = `${pending.feature}: ${pending.why}`;
  return cell(proofs.length === 0 ? `pending (${rest})` : `tested in part; open (${rest})`);
}

/** Rows of the table in docs/security.md. */
export const itemTable = (all: readonly Standing[]): string =>
  [
    "| | tried | expected | tests | state |",
    "|---|---|---|---|---|",
    ...all.map((standing) => {
      const { item, proofs } = standing;
      const tests = [...proofs]
        .sort((a, b) => (`${a.file} ${a.name}` < `${b.file} ${b.name}` ? -1 : 1))
        .map(({ file, name }) => `\`${file}\`: ${cell(name.replace(/^S\d\d(?:, S\d\d)*: /, ""))}`)
        .join("<br>");
      return `| ${item.id} | ${cell(item.tried)} | ${cell(item.expected)} | ${tests || "–"} | ${stateOf(standing)} |`;
    }),
  ].join("\n");
