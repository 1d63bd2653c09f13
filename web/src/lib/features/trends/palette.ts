/** Colours of a chart. A canvas knows no custom properties of a scheme, so both schemes stand here (`ux.md` 2.1). */
export interface Palette {
  ground: string;
  text: string;
  text2: string;
  line: string;
  rule: string;
  bad: string;
  accent: string;
  strip: readonly [string, string];
  pens: readonly string[];
}

export const LIGHT: Palette = {
  ground: "#f2f3f4",
  text: "#1b1f23",
  text2: "#454b52",
  line: "#6e757c",
  rule: "#d4d8db",
  bad: "#8a1c8c",
  accent: "#0b4f8a",
  strip: ["#d9dcdf", "#c3c8cc"],
  pens: ["#0b4f8a", "#2f86c1", "#7b2d8e", "#00897b", "#23282d", "#7a838b"],
};

export const DARK: Palette = {
  ground: "#31373d",
  text: "#e4e7ea",
  text2: "#b3bac1",
  line: "#868e96",
  rule: "#434a51",
  bad: "#e59be7",
  accent: "#7fb8ee",
  strip: ["#3f464d", "#505860"],
  pens: ["#6fb1f0", "#b9dcff", "#c58be0", "#43c7b7", "#f1f3f5", "#98a1aa"],
};

/** In forced colours the dash pattern and the end label alone tell the pens apart. */
export const FORCED: Palette = {
  ground: "Canvas",
  text: "CanvasText",
  text2: "CanvasText",
  line: "CanvasText",
  rule: "GrayText",
  bad: "CanvasText",
  accent: "Highlight",
  strip: ["Canvas", "Canvas"],
  pens: ["CanvasText", "CanvasText", "CanvasText", "CanvasText", "CanvasText", "CanvasText"],
};

/** One pattern for each place of the palette: two pens of one colour still differ. */
export const DASHES: readonly (readonly number[])[] = [
  [],
  [9, 4],
  [2, 3],
  [12, 3, 2, 3],
  [5, 3],
  [16, 5],
  [7, 3, 2, 3, 2, 3],
  [3, 6],
];

export const penColour = (palette: Palette, style: number): string =>
  palette.pens[style % palette.pens.length]!;

/** The name of a pen on the chart and in the legend: A to H, by its place. */
export const penLetter = (style: number): string => "ABCDEFGH".charAt(style);

export function paletteNow(scheme: "auto" | "light" | "dark"): Palette {
  if (matchMedia("(forced-colors: active)").matches) return FORCED;
  const dark = scheme === "auto" ? matchMedia("(prefers-color-scheme: dark)").matches : scheme === "dark";
  return dark ? DARK : LIGHT;
}
