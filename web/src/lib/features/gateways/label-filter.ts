import type { Gateway } from "@millrace/contract/api/gateway";

type Labelled = Pick<Gateway, "labels">;

/** Labels of an address, each once, in the order given. */
export const parseLabels = (text: string): string[] => [
  ...new Set(
    text
      .split(",")
      .map((label) => label.trim())
      .filter((label) => label !== ""),
  ),
];
/** Writes them into an address; no label holds a comma. */
export const formatLabels = (labels: readonly string[]): string => labels.join(",");

export const hasAll = ({ labels = [] }: Labelled, wanted: readonly string[]): boolean =>
  wanted.every((label) => labels.includes(label));

export const toggled = (labels: readonly string[], label: string): string[] =>
  labels.includes(label) ? labels.filter((one) => one !== label) : [...labels, label];

/** Every label in use with how many gateways have it, by name. A label that is asked for and on none is there too. */
export function labelsInUse(
  gateways: readonly Labelled[],
  wanted: readonly string[],
): { label: string; count: number }[] {
  const counts = new Map(wanted.map((label) => [label, 0]));
  for (const { labels = [] } of gateways)
    for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts]
    .map(([label, count]) => ({ label, count }))
    .sort((a, b) => a.label.localeCompare(b.label, undefined, { numeric: true }));
}
