import type { S7Settings } from "@millrace/contract/driver/s7/settings";
import { hasSlots } from "@millrace/contract/driver/s7/settings";
import { type Diagnose, type Finding, type LineFacts, percent, share } from "../../driver/doctor.ts";
import { codeText, ITEM, refusalOf } from "./causes.ts";

/** A line busier than this gains from longer telegrams. */
const BUSY_SHARE = 0.5;
/** Longest telegram a CPU gives (1500). */
const PDU_MAX = 960;
/** Facts named in one sentence. */
const NAMED_MAX = 3;

/** What only a Siemens CPU can be wrong about. */
export const diagnose: Diagnose = (facts) => [
  ...place(facts),
  ...closed(facts),
  ...blocks(facts),
  ...busy(facts),
  ...shortTelegrams(facts),
];

const settingsOf = ({ settings }: LineFacts): S7Settings => settings as unknown as S7Settings;
const one = (finding: Omit<Finding, "units">): Finding[] => [{ ...finding, units: [] }];
const clause = (text: string): string => text.replace(/[.\s]+$/, "");

/** TCP is there and the CPU does not take us: its place is another one, or its connections are used up. */
function place(facts: LineFacts): Finding[] {
  const { context, state, message } = facts.link;
  if (state === "up" || context.stage !== "iso") return [];
  const setting = hasSlots(settingsOf(facts)) ? "slot" : "remoteTsap";
  return one({ kind: "link.place", level: "fault", words: `${clause(message)}.`, setting, weight: 1 });
}

function codes(facts: LineFacts): Map<string, number> {
  const all = new Map<string, number>();
  for (const unit of facts.units)
    for (const [code, count] of unit.codes) all.set(code, (all.get(code) ?? 0) + count);
  return all;
}

const requests = (facts: LineFacts): number => facts.units.reduce((sum, unit) => sum + unit.requests, 0);

const named = (facts: LineFacts, pattern: RegExp): string => {
  const all = facts.learned.filter((fact) => pattern.test(fact)).map(clause);
  const rest = all.length > NAMED_MAX ? ` And ${all.length - NAMED_MAX} more.` : "";
  return all.length === 0 ? "" : `${all.slice(-NAMED_MAX).join(". ")}.${rest}`;
};

/** PUT/GET is off, or the access level forbids reading: for the whole CPU, or for places in it. */
function closed(facts: LineFacts): Finding[] {
  const { family } = settingsOf(facts);
  for (const [code, count] of codes(facts)) {
    if (code.length !== 6) continue;
    const refusal = refusalOf(Number(code), family);
    if (refusal.code !== "device.refused") continue;
    const words = `The CPU ${refusal.words}. So it answered ${count} of ${requests(facts)} requests.`;
    return one({
      kind: "access.off",
      level: "fault",
      words,
      setting: "",
      weight: share(count, requests(facts)),
    });
  }
  const items = codes(facts).get(codeText(ITEM.access, 1)) ?? 0;
  const words = named(facts, /\(code 0x03\)/);
  return items === 0 || words === ""
    ? []
    : one({ kind: "access.off", level: "fault", words, setting: "", weight: 0.5 });
}

/** Places the CPU does not have, or keeps in optimized blocks. */
function blocks(facts: LineFacts): Finding[] {
  const all = codes(facts);
  const count = [ITEM.range, ITEM.type, ITEM.size, ITEM.missing].reduce(
    (sum, code) => sum + (all.get(codeText(code, 1)) ?? 0),
    0,
  );
  const words = named(facts, /\(code 0x0[567a]\)/);
  if (count === 0 || words === "") return [];
  return one({
    kind: "address.illegal",
    level: "warn",
    words,
    setting: "",
    weight: share(count, requests(facts)),
  });
}

function busy(facts: LineFacts): Finding[] {
  const count = [...codes(facts)].reduce((sum, [code, n]) => sum + (/^0x83..$/.test(code) ? n : 0), 0);
  if (count === 0) return [];
  const words = `The CPU had no room for ${count} of ${requests(facts)} requests: fewer at once (\`jobsMax\`), slower scans, or a longer share of its cycle for communication.`;
  return one({
    kind: "device.busy",
    level: "warn",
    words,
    setting: "jobsMax",
    weight: share(count, requests(facts)),
  });
}

function shortTelegrams(facts: LineFacts): Finding[] {
  const { pduBytes = 0 } = facts.figures;
  const { pduMax } = settingsOf(facts);
  const cut = named(facts, /does not fit into the CPU's telegrams/);
  const ours = pduBytes > 0 && pduBytes === pduMax && pduMax < PDU_MAX;
  const full = ours && facts.busyShare >= BUSY_SHARE;
  if (cut === "" && !full) return [];
  const why = full
    ? `Telegrams of ${pduBytes} bytes are as long as \`pduMax\` allows, and the line is busy ${percent(facts.busyShare)} of the time`
    : `${cut.charAt(0).toUpperCase()}${clause(cut.slice(1))}`;
  const what = ours
    ? `raise \`pduMax\` to ${PDU_MAX}; the CPU answers with what it can`
    : "this CPU gives no longer ones: read shorter texts, or read it by OPC UA";
  return one({
    kind: "pdu.short",
    level: cut === "" ? "hint" : "warn",
    words: `${why}: ${what}.`,
    setting: ours ? "pduMax" : "",
    weight: facts.busyShare,
  });
}
