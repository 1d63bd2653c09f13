import type { DataType } from "@millrace/contract/vocabulary/value";
import { type IgnitionPlace, ignitionPlace } from "./ignition-address.ts";
import { Cells, lineToScale } from "./scaling.ts";
import type { CellProblem } from "./sheet.ts";

/** One tag of an export, with the folders above it. */
export interface IgnitionItem {
  /** Folders and name, as a person finds it there. */
  path: string;
  /** What it is called here. */
  name: string;
  tag: Readonly<Record<string, unknown>>;
}

/** What Ignition leaves out of an export because it is usual. */
const USUAL = { rawLow: 0, rawHigh: 10, scaledLow: 0, scaledHigh: 10, engLow: 0, engHigh: 100 } as const;
type Numeric = keyof typeof USUAL;

const isNumeric = (dataType: DataType): boolean => dataType !== "boolean" && dataType !== "text";

const sourceOf = (column: string, value: unknown) => ({
  column,
  found: typeof value === "string" ? value : (JSON.stringify(value) ?? ""),
});

/** Text of a member that another system may have bound to something instead. */
export const textIn = (tag: IgnitionItem["tag"], key: string): string =>
  typeof tag[key] === "string" ? (tag[key] as string) : "";

/** True for a member that takes its value from a parameter of a UDT or an expression. */
const isBound = (value: unknown): boolean => typeof value === "object" && value !== null;

/** Texts that are of no use while they are bound; the tag is. */
const TEXTS = ["engUnit", "documentation", "tooltip"] as const;

/** Why an item cannot be read from a device at all, or null. */
export function whyLeft({ tag }: IgnitionItem): string | null {
  const source = textIn(tag, "valueSource").toLowerCase();
  if (source !== "" && source !== "opc") return `its value comes from "${source}", not from a device`;
  const path = tag.opcItemPath;
  if (isBound(path)) return "its address is bound to a parameter";
  if (isBound(tag.scaleMode)) return "its scaleMode is bound to a parameter";
  return typeof path === "string" && path !== "" ? null : "it has no opcItemPath";
}

/** One tag while it is translated. `left` says why it has no place here. */
export class IgnitionTag {
  readonly cells = new Cells();
  readonly notes: string[] = [];
  readonly problems: CellProblem[] = [];
  left: string | null = null;
  /** Name of the device there. */
  device = "";

  constructor(readonly item: IgnitionItem) {}

  #number(key: Numeric): number {
    const value = this.item.tag[key];
    if (value === undefined) return USUAL[key];
    if (typeof value === "number") return value;
    if (isBound(value)) {
      this.left ??= `its ${key} is bound to a parameter`;
      return Number.NaN;
    }
    const message = `found ${sourceOf(key, value).found}, expected a number.`;
    const { column, found } = sourceOf(key, value);
    this.problems.push({ where: this.item.path, row: null, column, cell: found, message });
    return Number.NaN;
  }

  /** @param base the number of the first register there */
  translate(base: 0 | 1): void {
    const { tag, name } = this.item;
    this.left = whyLeft(this.item);
    if (this.left !== null) return;
    const path = textIn(tag, "opcItemPath");
    const place = ignitionPlace(path, base);
    this.device = place.device;
    if ("left" in place) {
      this.left = place.left;
      return;
    }
    this.cells.set("name", name, sourceOf("name", this.item.path));
    this.cells.set("address", place.address, sourceOf("opcItemPath", path));
    this.cells.set("dataType", place.dataType, sourceOf("opcItemPath", path));
    this.#type(place);
    this.#texts();
    if (isNumeric(place.dataType)) {
      this.#scaling();
      this.#limits();
      this.#deadband();
    }
    this.#forgotten();
  }

  #type({ dataType }: Extract<IgnitionPlace, { address: string }>): void {
    const there = textIn(this.item.tag, "dataType").toLowerCase();
    if (there === "boolean" && dataType !== "boolean")
      this.notes.push(`a whole register was taken as Boolean; here it is a number (${dataType})`);
  }

  #texts(): void {
    const { tag } = this.item;
    const unit = textIn(tag, "engUnit");
    if (unit !== "") this.cells.set("unit", unit, sourceOf("engUnit", unit));
    const key = textIn(tag, "documentation") === "" ? "tooltip" : "documentation";
    const text = textIn(tag, key);
    if (text !== "") this.cells.set("description", text, sourceOf(key, text));
  }

  #scaling(): void {
    const { tag } = this.item;
    const mode = textIn(tag, "scaleMode");
    if (mode === "" || mode.toLowerCase() === "off") return;
    if (mode.toLowerCase() !== "linear") {
      this.left = `scaling "${mode}" has no place here, only a linear one`;
      return;
    }
    const [rawLow, rawHigh] = [this.#number("rawLow"), this.#number("rawHigh")];
    const [scaledLow, scaledHigh] = [this.#number("scaledLow"), this.#number("scaledHigh")];
    if ([rawLow, rawHigh, scaledLow, scaledHigh].some(Number.isNaN)) return;
    const scale = lineToScale({ rawLow, rawHigh, scaledLow, scaledHigh });
    if (scale === null) {
      const [column, cell] = ["rawHigh", String(rawHigh)];
      const message = `found ${rawHigh}, expected another number than rawLow.`;
      this.problems.push({ where: this.item.path, row: null, column, cell, message });
      return;
    }
    this.cells.set("scale factor", scale.factor, sourceOf("scaledHigh", scaledHigh));
    this.cells.set("scale offset", scale.offset, sourceOf("scaledLow", scaledLow));
    const clamp = textIn(tag, "clampMode").toLowerCase();
    if (clamp !== "" && clamp !== "no_clamp")
      this.notes.push("it was clamped; values beyond now come through");
  }

  #limits(): void {
    const { tag } = this.item;
    if (tag.engLow === undefined && tag.engHigh === undefined) return;
    const [low, high] = [this.#number("engLow"), this.#number("engHigh")];
    if (Number.isNaN(low) || Number.isNaN(high)) return;
    this.cells.set("range low", low, sourceOf("engLow", tag.engLow));
    this.cells.set("range high", high, sourceOf("engHigh", tag.engHigh));
  }

  #deadband(): void {
    const { tag } = this.item;
    const { deadband } = tag;
    if (typeof deadband !== "number") return;
    const mode = textIn(tag, "deadbandMode").toLowerCase();
    if (mode === "off") return;
    const share = mode === "percent" ? (this.#number("engHigh") - this.#number("engLow")) / 100 : 1;
    if (!Number.isNaN(share)) this.cells.set("deadband", deadband * share, sourceOf("deadband", deadband));
  }

  /** What the tag has besides and loses here. */
  #forgotten(): void {
    const { tag } = this.item;
    const { alarms, eventScripts, enabled } = tag;
    if (Array.isArray(alarms) && alarms.length > 0)
      this.notes.push(`${alarms.length} alarms are not taken over`);
    if (eventScripts !== undefined) this.notes.push("its scripts are not taken over");
    for (const key of TEXTS)
      if (isBound(tag[key])) this.notes.push(`its ${key} is bound to a parameter and was not read`);
    if (enabled === false) this.notes.push("it was switched off there; here it is read");
  }
}
