// The command line of the hub: `npm run millrace -- config apply plant.yaml`.
import { parseArgs } from "node:util";
import { ConfigDiff, ConfigPlan, ConfigVersion } from "@millrace/contract/api/config";
import { Page } from "@millrace/contract/api/page";
import { AppError } from "@millrace/contract/error/app-error";
import { ERROR } from "@millrace/contract/error/code";
import { EXIT_SETTING } from "@millrace/contract/std/setting";
import { filledDocument } from "./document-secrets.ts";
import { bytesOf, Usage } from "./files.ts";
import { Hub, Refused } from "./hub.ts";
import { exportFile, importFile } from "./import.ts";
import { readCliSettings } from "./settings.ts";
import { diffText, planText, problemText, versionLine } from "./words.ts";

const USAGE = `millrace config apply FILE [--dry-run] [--prune] [--comment TEXT]   make the configuration what the file says
millrace config get [--format yaml|json] [--version N]              print it
millrace config versions                                            what was published, newest first
millrace config diff FROM TO                                        what changed between two versions
millrace config rollback VERSION [--dry-run] [--comment TEXT]       go back
millrace config import FILE [--profile NAME] [--kind tags|devices] [--dry-run] [--prune] [--comment TEXT]
                       [--delimiter comma|semicolon|tab] [--decimal point|comma]
                                                                    take tags or devices from a file
millrace config export --kind tags|devices [--profile NAME]         print them as CSV

FILE is YAML or JSON (by its ending), - for YAML on standard input; in it, {secret: env:NAME} and {secret: file:PATH}
stand for values of this machine's environment and files. For import CSV, or JSON from Ignition (by its ending).
 MILLRACE_HUB_URL (http://localhost:8080) and
MILLRACE_API_KEY or MILLRACE_API_KEY_FILE say where and as whom.`;

const EXIT = { refused: 1, usage: 64 } as const;

const OPTIONS = {
  "dry-run": { type: "boolean", default: false },
  prune: { type: "boolean", default: false },
  comment: { type: "string", default: "" },
  format: { type: "string", default: "yaml" },
  version: { type: "string" },
  kind: { type: "string" },
  profile: { type: "string" },
  delimiter: { type: "string" },
  decimal: { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} as const;

type Options = ReturnType<typeof parse>["values"];

const parse = (args: string[]) => parseArgs({ args, options: OPTIONS, allowPositionals: true });

function whole(text: string | undefined): number {
  if (text === undefined || !/^\d{1,9}$/.test(text)) throw new Usage("a version is a whole number");
  return Number(text);
}

const flags = (options: Options, names: readonly ("dry-run" | "prune")[]): Record<string, string> =>
  Object.fromEntries(
    names.filter((name) => options[name]).map((name) => [name === "dry-run" ? "dryRun" : name, "true"]),
  );

/** What a change may be asked for in any of its forms. */
const changeQuery = (options: Options): Record<string, string> => ({
  ...flags(options, ["dry-run", "prune"]),
  ...(options.comment === "" ? {} : { comment: options.comment }),
});

async function apply(hub: Hub, file: string | undefined, options: Options): Promise<string> {
  const body = filledDocument(await bytesOf(file), process.env);
  const media = file?.endsWith(".json") ? "application/json" : "application/yaml";
  const plan = await hub.json(ConfigPlan, {
    method: "PUT",
    path: "/config",
    query: changeQuery(options),
    headers: { "content-type": media },
    body,
  });
  return planText(plan);
}

async function get(hub: Hub, { format, version }: Options): Promise<string> {
  if (format !== "yaml" && format !== "json") throw new Usage("--format is yaml or json");
  const query: Record<string, string> = version === undefined ? {} : { version: String(whole(version)) };
  const headers = { accept: `application/${format}` };
  return (await hub.text({ method: "GET", path: "/config", query, headers })).trimEnd();
}

const fileOptions = ({ kind, profile, delimiter, decimal }: Options) => ({
  kind,
  profile,
  delimiter,
  decimal,
});

const COMMANDS: Record<string, (hub: Hub, args: string[], options: Options) => Promise<string>> = {
  apply: (hub, [file], options) => apply(hub, file, options),
  get: (hub, _args, options) => get(hub, options),
  import: (hub, [file], options) => importFile(hub, file, fileOptions(options), changeQuery(options)),
  export: (hub, _args, options) => exportFile(hub, fileOptions(options)),
  versions: async (hub) => {
    const { items } = await hub.json(Page(ConfigVersion), { method: "GET", path: "/config/versions" });
    return items.map(versionLine).join("\n");
  },
  diff: async (hub, [from, to]) => {
    const query = { from: String(whole(from)), to: String(whole(to)) };
    return diffText(await hub.json(ConfigDiff, { method: "GET", path: "/config/diff", query }));
  },
  rollback: async (hub, [to], options) => {
    const plan = await hub.json(ConfigPlan, {
      method: "POST",
      path: "/config/rollback",
      query: flags(options, ["dry-run"]),
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ to: whole(to), comment: options.comment }),
    });
    return planText(plan);
  },
};

/** Runs one command and returns its exit code. */
async function run(args: string[]): Promise<number> {
  try {
    const { positionals, values } = parse(args);
    const [noun, verb = "", ...rest] = positionals;
    if (values.help) return tell(USAGE);
    const command = noun === "config" ? COMMANDS[verb] : undefined;
    if (command === undefined) throw new Usage("there is no such command");
    return tell(await command(new Hub(readCliSettings(process.env)), rest, values));
  } catch (thrown) {
    return complain(thrown);
  }
}

function tell(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function complain(thrown: unknown): number {
  const say = (text: string) => process.stderr.write(`${text}\n`);
  if (thrown instanceof Refused) {
    say(problemText(thrown.problem));
    return EXIT.refused;
  }
  if (thrown instanceof AppError) {
    say(`${thrown.message}\n${ERROR[thrown.code].nextStep}`);
    return thrown.code === "setting.wrong" ? EXIT_SETTING : EXIT.refused;
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const wrongUse =
    thrown instanceof Usage || (thrown as { code?: string }).code?.startsWith("ERR_PARSE_ARGS");
  say(wrongUse ? `${message}\n\n${USAGE}` : message);
  return wrongUse ? EXIT.usage : EXIT.refused;
}

process.exitCode = await run(process.argv.slice(2));
