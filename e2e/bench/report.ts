/** One figure. `ratio` is value / baseline, both measured in the same run: that, not the figure, travels to other machines. */
export interface BenchRow {
  name: string;
  value: number;
  unit: string;
  ratio?: number;
  /** What the ratio is against. */
  baseline?: string;
}

const shown = (value: number): string =>
  Math.abs(value) >= 1_000
    ? Math.round(value).toLocaleString("en")
    : value.toLocaleString("en", { maximumSignificantDigits: 3 });

/** Prints figures as an aligned table. */
export function printRows(title: string, rows: readonly BenchRow[]): void {
  const cells = rows.map(({ name, value, unit, ratio, baseline }) => [
    name,
    shown(value),
    unit,
    ratio === undefined ? "" : `${shown(ratio)} x ${baseline ?? ""}`,
  ]);
  const width = (column: number) => Math.max(...cells.map((row) => row[column]!.length));
  const [names, values, units] = [width(0), width(1), width(2)];
  console.log(`\n${title}`);
  for (const [name, value, unit, ratio] of cells) {
    console.log(
      `  ${name!.padEnd(names)}  ${value!.padStart(values)} ${unit!.padEnd(units)}  ${ratio}`.trimEnd(),
    );
  }
}
