import type { Annotation } from "@millrace/contract/api/trend";
import type { AnnotationRow } from "./store.ts";

export const mapAnnotation = (row: AnnotationRow): Annotation => ({
  id: row.id,
  from: row.from.toISOString(),
  to: row.to?.toISOString() ?? null,
  tagNo: row.tagNo,
  text: row.text,
  author: row.author,
  createdAt: row.createdAt.toISOString(),
});
