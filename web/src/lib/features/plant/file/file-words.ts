import { type Static, Type } from "@sinclair/typebox";
import { Check } from "@sinclair/typebox/value";
import type { HubFault } from "../../../error/fault.ts";

/** Where a file goes by its ending: the whole document, or a list of tags or devices. */
export function kindOfFile(name: string): { kind: "document" | "list"; type: string } | null {
  const ending = /\.([a-z]+)$/i.exec(name)?.[1]?.toLowerCase();
  if (ending === "yaml" || ending === "yml") return { kind: "document", type: "application/yaml" };
  if (ending === "csv" || ending === "txt" || ending === "tsv") return { kind: "list", type: "text/csv" };
  if (ending === "json") return { kind: "list", type: "application/json" };
  return null;
}

const Problems = Type.Object({
  problemCount: Type.Integer(),
  problems: Type.Array(
    Type.Object({
      at: Type.Optional(Type.String()),
      line: Type.Optional(Type.Integer()),
      row: Type.Optional(Type.Integer()),
      column: Type.Optional(Type.String()),
      cell: Type.Optional(Type.String()),
      message: Type.String(),
    }),
  ),
});
type FileProblem = Static<typeof Problems>["problems"][number];

/** Where a problem stands in its file, as the person sees it there. */
export function placeWords({ row, column, line, at }: FileProblem): string {
  if (row !== undefined) return `Row ${row}${column === undefined ? "" : `, ${column}`}`;
  return line === undefined ? (at ?? "") : `Line ${line}`;
}

/** What is wrong with a file, if that is why the hub refused it; null for any other refusal. */
export function problemsOf(fault: HubFault): { problems: FileProblem[]; more: number } | null {
  const { context } = fault;
  if (!Check(Problems, context)) return null;
  return { problems: context.problems, more: context.problemCount - context.problems.length };
}

/** A document of a single object with `millrace` in it is one, whatever its ending says. */
export const isDocument = (text: string): boolean =>
  /^\s*\{\s*"(millrace|sites|profiles|gateways|devices)"\s*:/.test(text);
