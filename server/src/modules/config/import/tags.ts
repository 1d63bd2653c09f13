import { addressJudge } from "@millrace/contract/driver/check";
import { NAME_PATTERN } from "@millrace/contract/vocabulary/id";
import type { ProfileTag } from "@millrace/contract/vocabulary/tag";
import { writeEntity } from "../document.ts";
import type { ConfigProblem } from "../problem.ts";
import type { ProfileContent } from "../state.ts";
import type { TagColumn } from "./columns.ts";
import { choices, emptyDocument, type Fragment, type ImportContext } from "./fragment.ts";
import { shown } from "./limits.ts";
import { Problems } from "./problem.ts";
import { type CellProblem, problemAt, type Sheet, type SheetRow } from "./sheet.ts";
import { TagCells } from "./tag-cells.ts";

const NAME = new RegExp(NAME_PATTERN);
const NAME_CHARACTERS_MAX = 100;
/** As in a document. */
const PROFILE_TAGS_MAX = 20_000;

/** What is wrong with a name, or null. */
export function nameProblem(name: string): string | null {
  if (name === "") return "found nothing, expected a name.";
  if (name.length <= NAME_CHARACTERS_MAX && NAME.test(name)) return null;
  const found =
    name.length > NAME_CHARACTERS_MAX
      ? `found ${name.length} characters`
      : `found ${JSON.stringify(name.match(/[+#$/\p{Cc}]/u)?.[0] ?? "")} in ${shown(name)}`;
  return `${found}, expected 1 to ${NAME_CHARACTERS_MAX} characters without + # $ / and control characters.`;
}

/** The tags of one profile while rows come in. */
class ProfileDraft {
  readonly tags = new Map<string, ProfileTag>();
  readonly rows = new Map<string, SheetRow>();
  readonly judge: ReturnType<typeof addressJudge>;
  readonly #before: ReadonlyMap<string, ProfileTag>;

  constructor(
    readonly content: ProfileContent,
    prune: boolean,
  ) {
    this.judge = addressJudge(content);
    this.#before = new Map(content.tags.map((tag) => [tag.name, tag]));
    // The order people gave the tags stays; what is new comes behind.
    if (!prune) for (const [name, tag] of this.#before) this.tags.set(name, tag);
  }

  /** Takes over one row. Returns what is wrong with it. */
  take(row: SheetRow, sheet: Sheet, classes: ReadonlySet<string>): CellProblem[] {
    const name = row.cells.get("name")?.text ?? "";
    const cells = new TagCells(row, sheet.decimal, { ...this.#before.get(name), name });
    const wrong = nameProblem(name);
    const twin = this.rows.get(name);
    if (wrong !== null) cells.refuse("name", wrong);
    else if (twin !== undefined)
      cells.refuse(
        "name",
        `${shown(name)} stands in ${twin.where} already; tag names are unique in a profile.`,
      );
    else this.rows.set(name, row);
    cells.dataType();
    cells.address(this.judge);
    cells.texts();
    cells.numbers();
    cells.scale();
    cells.range();
    cells.choices(classes);
    if (cells.problems.length === 0) this.tags.set(name, cells.draft as ProfileTag);
    return cells.problems;
  }
}

/** Stands in for a profile that is not there, so that the other cells of its rows are judged all the same. */
const NO_PROFILE: ProfileContent = {
  name: "",
  driver: "",
  settings: {},
  parameters: {},
  tags: [],
  scanMs: null,
  heartbeatMs: null,
};

/** The profiles that rows fill. */
class Profiles {
  readonly drafts = new Map<string, ProfileDraft>();
  readonly #unknown = new Map<string, ProfileDraft>();
  readonly #known: ReadonlyMap<string, ProfileContent>;

  constructor(
    private readonly context: ImportContext,
    private readonly problems: Problems,
  ) {
    this.#known = new Map([...context.state.profile.values()].map((content) => [content.name, content]));
  }

  of(row: SheetRow): ProfileDraft {
    const cell = row.cells.get("profile")?.text ?? "";
    const name = cell === "" ? (this.context.profile ?? "") : cell;
    const there = this.drafts.get(name);
    if (there !== undefined) return there;
    const content = this.#known.get(name);
    if (content === undefined) return this.#missing(row, cell, name);
    const draft = new ProfileDraft(content, this.context.prune);
    this.drafts.set(name, draft);
    return draft;
  }

  /** A wrong cell is told for each row, a wrong request once. */
  #missing(row: SheetRow, cell: string, name: string): ProfileDraft {
    const there = this.#unknown.get(name);
    const known = choices(this.#known.keys());
    const say = (message: string) => `${message}; ${known}.`;
    if (row.cells.has("profile") && (cell !== "" || this.context.profile === null)) {
      const message =
        cell === "" ? say("found nothing, expected a profile") : say(`there is no profile ${shown(cell)}`);
      this.problems.add([problemAt(row, "profile", message)]);
    } else if (there === undefined) {
      const message =
        name === ""
          ? say("which profile do the tags belong to? Say profile=, or add a column profile")
          : say(`there is no profile ${shown(name)}`);
      this.problems.add([{ where: "the request", row: null, column: "profile", cell: name, message }]);
    }
    const draft = there ?? new ProfileDraft(NO_PROFILE, this.context.prune);
    this.#unknown.set(name, draft);
    return draft;
  }

  crowded(): CellProblem[] {
    return [...this.drafts.values()]
      .filter(({ tags }) => tags.size > PROFILE_TAGS_MAX)
      .map(({ tags, content: { name } }) => ({
        where: "the file",
        row: null,
        column: "profile",
        cell: name,
        message: `the profile would have ${tags.size} tags, it takes ${PROFILE_TAGS_MAX}.`,
      }));
  }
}

/** Member of a tag in the document → column of a file. */
function columnOfMember([member, part]: (string | number | undefined)[]): TagColumn {
  if (member === "scale") return part === "offset" ? "scale offset" : "scale factor";
  if (member === "range") return part === "high" ? "range high" : "range low";
  return member as TagColumn;
}

/**
 * Rows of tags → the profiles they stand in, whole. A column that is there decides its member, an empty cell takes it
 * away; a column that is not there leaves the member of an existing tag as it is.
 */
export function tagsFragment(sheet: Sheet, context: ImportContext): Fragment {
  const problems = new Problems();
  const profiles = new Profiles(context, problems);
  for (const row of sheet.rows) {
    problems.add(profiles.of(row).take(row, sheet, context.retention));
  }
  problems.add(profiles.crowded());
  const document = emptyDocument();
  document.profiles = Object.fromEntries(
    [...profiles.drafts].map(([name, { content, tags }]) => {
      const written = writeEntity("profile", { ...content, tags: [...tags.values()] }, context.state);
      return [name, written];
    }),
  );
  const cellOf = ([root, profile, list, index, ...member]: ConfigProblem["at"]) => {
    const draft = root === "profiles" && list === "tags" ? profiles.drafts.get(String(profile)) : undefined;
    const tag = draft === undefined ? undefined : [...draft.tags.values()][Number(index)];
    const row = tag === undefined ? undefined : draft?.rows.get(tag.name);
    return row === undefined ? null : problemAt(row, columnOfMember(member), "");
  };
  return { document, problems, notes: [], cellOf };
}
