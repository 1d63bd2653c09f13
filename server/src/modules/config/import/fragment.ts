import type { ConfigDocument } from "@millrace/contract/api/config";
import { CONFIG_FORMAT } from "@millrace/contract/api/config";
import type { ConfigProblem } from "../problem.ts";
import type { ConfigState } from "../state.ts";
import type { Problems } from "./problem.ts";
import type { CellProblem } from "./sheet.ts";

/** What rows are judged against. */
export interface ImportContext {
  state: ConfigState;
  /** Profile of rows that name none. */
  profile: string | null;
  /** What is there and not in the file goes. */
  prune: boolean;
  retention: ReadonlySet<string>;
}

/** Rows as a piece of configuration. With problems the document is not whole and must not be applied. */
export interface Fragment {
  document: ConfigDocument;
  problems: Problems;
  notes: string[];
  /** The cell a place of the document came from. */
  cellOf(at: ConfigProblem["at"]): Omit<CellProblem, "message"> | null;
  /** Takes away what is to go besides; profiles lose their tags by the document itself. */
  prune?(wanted: ConfigState): void;
}

export const emptyDocument = (): ConfigDocument => ({ millrace: CONFIG_FORMAT });

/** Names to choose from in a message, the first ones of very many. */
export function choices(names: Iterable<string>): string {
  const sorted = [...names].sort();
  if (sorted.length === 0) return "there are none yet";
  const more = sorted.length > 10 ? ` and ${sorted.length - 10} more` : "";
  return `there are ${sorted.slice(0, 10).join(", ")}${more}`;
}
