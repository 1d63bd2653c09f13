import { describeShape } from "@millrace/contract/driver/settings";
import { ProfileTag, Range, Scale } from "@millrace/contract/vocabulary/tag";
import type { TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { TagColumn } from "./columns.ts";
import { DATA_TYPES, dataTypeOf } from "./data-type.ts";
import { shown } from "./limits.ts";
import { numberOf } from "./number.ts";
import { type CellProblem, type Decimal, problemAt, type SheetRow } from "./sheet.ts";

/** A tag while its row is read; what is wrong was named and is left out. */
export type DraftTag = Partial<ProfileTag>;

const { properties } = ProfileTag;
const NUMBERS = {
  deadband: properties.deadband,
  scanMs: properties.scanMs,
  heartbeatMs: properties.heartbeatMs,
} as const;
const TEXTS = { unit: properties.unit, description: properties.description } as const;
// Tab and line breaks may stand in a description, other control characters are damage.
const CONTROL = /(?![\t\r\n])\p{Cc}/u;

/** Reads the cells of one row, one member after the other, and collects what is wrong. */
export class TagCells {
  readonly problems: CellProblem[] = [];

  constructor(
    private readonly row: SheetRow,
    private readonly decimal: Decimal,
    readonly draft: DraftTag,
  ) {}

  refuse(key: TagColumn, message: string): undefined {
    this.problems.push(problemAt(this.row, key, message));
    return undefined;
  }

  #text(key: TagColumn): string | undefined {
    return this.row.cells.get(key)?.text;
  }

  /** Undefined for a column that is not there, null for an empty cell: that takes the member away. */
  #number(key: TagColumn, schema: TSchema): number | null | undefined {
    const text = this.#text(key);
    if (text === undefined) return undefined;
    if (text === "") return null;
    const number = numberOf(text, this.decimal);
    if (number !== null && Value.Check(schema, number)) return number;
    const sign =
      this.decimal === "." && /^[+-]?\d+,\d+$/.test(text)
        ? " (the decimal sign is a point; see decimal=)"
        : "";
    return this.refuse(key, `found ${shown(text)}, expected ${describeShape(schema)}${sign}.`);
  }

  numbers(): void {
    for (const [key, schema] of Object.entries(NUMBERS) as [keyof typeof NUMBERS, TSchema][]) {
      const number = this.#number(key, schema);
      if (number === null) delete this.draft[key];
      else if (number !== undefined) this.draft[key] = number;
    }
  }

  texts(): void {
    for (const [key, schema] of Object.entries(TEXTS) as [keyof typeof TEXTS, TSchema][]) {
      const text = this.#text(key);
      if (text === undefined) continue;
      // An empty text that is there already says the same as none.
      if (text === "" && this.draft[key] !== "") delete this.draft[key];
      else if (CONTROL.test(text)) this.refuse(key, `found ${shown(text)}, which holds control characters.`);
      else if (text.length <= (schema.maxLength as number)) this.draft[key] = text;
      else this.refuse(key, `found ${text.length} characters, expected at most ${schema.maxLength}.`);
    }
  }

  /** @param classes names of the retention classes there are */
  choices(classes: ReadonlySet<string>): void {
    const interpolation = this.#text("interpolation")?.toLowerCase();
    if (interpolation === "") delete this.draft.interpolation;
    else if (interpolation === "step" || interpolation === "linear") this.draft.interpolation = interpolation;
    else if (interpolation !== undefined)
      this.refuse("interpolation", `found ${shown(interpolation)}, expected step or linear.`);
    const retention = this.#text("retention");
    if (retention === "") delete this.draft.retention;
    else if (retention !== undefined && classes.has(retention)) this.draft.retention = retention;
    else if (retention !== undefined) {
      const known = [...classes].sort().join(", ");
      this.refuse("retention", `there is no retention class ${shown(retention)}; there are ${known}.`);
    }
  }

  dataType(): void {
    const text = this.#text("dataType");
    if (text === undefined || text === "") {
      if (this.draft.dataType === undefined || text === "")
        this.refuse("dataType", `found nothing, expected one of ${DATA_TYPES.join(", ")}.`);
      return;
    }
    const dataType = dataTypeOf(text);
    if (dataType !== null) this.draft.dataType = dataType;
    else {
      delete this.draft.dataType;
      this.refuse("dataType", `found ${shown(text)}, expected one of ${DATA_TYPES.join(", ")}.`);
    }
  }

  /** @param judge what the driver has against an address; null for nothing */
  address(judge: (address: string, dataType: ProfileTag["dataType"]) => string | null): void {
    const text = this.#text("address") ?? this.draft.address ?? "";
    this.draft.address = text;
    const { dataType } = this.draft;
    if (text === "") return this.refuse("address", "found nothing, expected the address in the device.");
    const types = dataType === undefined ? (DATA_TYPES as ProfileTag["dataType"][]) : [dataType];
    // A row whose type is wrong is told of its address only if no type could make it right.
    const found = types.map((type) => judge(text, type));
    const [first] = found;
    if (!found.includes(null)) this.refuse("address", first ?? "");
  }

  /** Factor and offset: one alone leaves the other as it is, or as it does nothing. */
  scale(): void {
    const told = this.problems.length;
    const factor = this.#number("scale factor", Scale.properties.factor);
    const offset = this.#number("scale offset", Scale.properties.offset);
    if ((factor === undefined && offset === undefined) || this.problems.length > told) return;
    const old = this.draft.scale;
    const [f, o] = [
      factor === undefined ? (old?.factor ?? null) : factor,
      offset === undefined ? (old?.offset ?? null) : offset,
    ];
    if (f === null && o === null) delete this.draft.scale;
    else this.draft.scale = { factor: f ?? 1, offset: o ?? 0 };
  }

  range(): void {
    const told = this.problems.length;
    const low = this.#number("range low", Range.properties.low);
    const high = this.#number("range high", Range.properties.high);
    const broken = this.problems.length > told;
    if ((low === undefined && high === undefined) || broken) return;
    const old = this.draft.range;
    const [from, to] = [
      low === undefined ? (old?.low ?? null) : low,
      high === undefined ? (old?.high ?? null) : high,
    ];
    if (from === null && to === null) delete this.draft.range;
    else if (from === null)
      this.refuse("range low", "found nothing, expected the lower end beside range high.");
    else if (to === null)
      this.refuse("range high", "found nothing, expected the upper end beside range low.");
    else if (from >= to) this.refuse("range high", `found ${to}, expected more than range low, ${from}.`);
    else this.draft.range = { low: from, high: to };
  }
}
