// bun run audit: fails on a known high or critical flaw in what is shipped. The advisories come from the registry packages come from;
// without an answer nothing is known, which is said (exit code 75) and never counted as good. MILLRACE_AUDIT_REQUIRED=1, for a release,
// makes that a failure.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../stack/child.ts";
import { auditFindings, parseAdvisories, type Waiver } from "./advisories.ts";
import { NOT_CHECKED } from "./not-checked.ts";

const ANSWER_MS_MAX = 60_000;

const run = Bun.spawn([process.execPath, "audit", "--json", "--prod"], {
  cwd: ROOT,
  stdin: "ignore",
  stdout: "pipe",
  stderr: "pipe",
  timeout: ANSWER_MS_MAX,
});
const [out, err] = await Promise.all([new Response(run.stdout).text(), new Response(run.stderr).text()]);
await run.exited;
const advisories = parseAdvisories(out);
if (advisories === null) {
  console.log(`NOT CHECKED: the registry tells no advisories here (${err.trim().split("\n").at(-1) ?? ""}).`);
  console.log(
    "Whether a dependency has a known flaw is unknown. Run this where the advisories can be reached.",
  );
  process.exit(process.env.MILLRACE_AUDIT_REQUIRED === "1" ? 1 : NOT_CHECKED);
}
const waivers = JSON.parse(
  readFileSync(process.env.MILLRACE_AUDIT_WAIVERS ?? join(ROOT, "e2e/supply/waivers.json"), "utf8"),
) as Waiver[];
const findings = auditFindings(advisories, waivers, Date.now());
for (const finding of findings) console.log(finding);
const others = advisories.length - findings.length;
console.log(
  `${findings.length} to be dealt with; ${Math.max(0, others)} further advisories below high or waived.`,
);
process.exit(findings.length === 0 ? 0 : 1);
