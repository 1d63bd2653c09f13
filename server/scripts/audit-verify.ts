// bun server/scripts/audit-verify.ts [file.ndjson] [--key <public key>]… [--anchor <no>:<hash>]…
// Walks an audit without any hub: an exported file, or without one the database in DATABASE_URL. Ends with 0 when it
// holds, 1 when it does not, 2 when it could not be read.
import { parseArgs } from "node:util";
import { SQL } from "bun";
import { drizzle } from "drizzle-orm/bun-sql";
import type { Head, WalkOptions } from "../src/modules/audit/chain.ts";
import { linesOf, walkFile } from "../src/modules/audit/file.ts";
import { verdictOf, walkDatabase } from "../src/modules/audit/walk.ts";

const USAGE =
  "bun server/scripts/audit-verify.ts [file.ndjson] [--key <hub's public key, base64url>] [--anchor <no>:<hash>]\n" +
  "Without a file it reads the database in DATABASE_URL. Keys and anchors stand in the hub's log (audit.anchored).\n";

const say = (text: string) => process.stdout.write(`${text}\n`);

function headOf(text: string): Head {
  const parts = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text);
  if (parts === null) throw new Error(`--anchor ${text}: expected a number, a colon and 64 hex digits`);
  return { no: Number(parts[1]), hash: new Uint8Array(Buffer.from(parts[2]!, "hex")) };
}

async function ofDatabase(url: string, options: WalkOptions) {
  const sql = new SQL({ url, adapter: "postgres", max: 1 });
  try {
    return await walkDatabase(drizzle(sql), options);
  } finally {
    await sql.close({ timeout: 1 });
  }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2),
    allowPositionals: true,
    options: {
      key: { type: "string", multiple: true },
      anchor: { type: "string", multiple: true },
      help: { type: "boolean" },
    },
  });
  const [file] = positionals;
  const url = process.env.DATABASE_URL;
  if (values.help || positionals.length > 1 || (file === undefined && url === undefined)) {
    process.stderr.write(USAGE);
    return 2;
  }
  const options = { keys: values.key ?? null, heads: (values.anchor ?? []).map(headOf) };
  let named: string | null = null;
  let verdict: ReturnType<typeof verdictOf>;
  if (file === undefined) verdict = await ofDatabase(url!, options);
  else {
    const found = await walkFile(linesOf(Bun.file(file).stream()), options);
    named = found.publicKey;
    verdict = verdictOf(found.walk);
  }
  say(JSON.stringify(verdict));
  if (options.keys === null)
    say(
      `No --key was given: signatures fit the keys they name${named === null ? "" : ` (${named})`}; whether that is your hub's key was not looked at.`,
    );
  const { firstBroken, newestAnchor, rows } = verdict;
  if (firstBroken !== undefined)
    say(`BROKEN at row ${firstBroken.no}: ${firstBroken.why}. ${rows} rows before it hold.`);
  else if (newestAnchor === null)
    say(`${rows} rows hold. No anchor was found: rows may be missing at the end.`);
  else say(`${rows} rows hold, signed up to row ${newestAnchor.no} at ${newestAnchor.at}.`);
  return verdict.ok ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (thrown) {
  process.stderr.write(`${thrown instanceof Error ? thrown.message : thrown}\n${USAGE}`);
  process.exitCode = 2;
}
