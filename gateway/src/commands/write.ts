import { getLogger } from "@logtape/logtape";
import type { Clock } from "@millrace/contract/std/clock";
import { type TagValue, valueToJson } from "@millrace/contract/vocabulary/value";
import type { WriteTag } from "@millrace/contract/wire/command";
import { judgeWrite, kindOfTag, valueOfKind } from "@millrace/contract/write/judge";
import type { Fleet } from "../supervisor/fleet.ts";
import { placeOf } from "../supervisor/take-back.ts";
import { type Pulse, type Veto, type WriteEnd, type WriteTarget, writeOnce } from "../supervisor/write.ts";
import type { Performed, Running } from "./desk.ts";
import type { Holds } from "./holds.ts";

const log = getLogger(["gateway", "commands"]);

const FACT_CHARACTERS_MAX = 250;

/** What somebody at the machine has to say about writes from afar. */
export interface WritePermit {
  /** Nothing may be written. */
  lockedOut: () => boolean;
  /** Who armed writing for this moment; null while nobody did. */
  armedBy: () => string | null;
  /** This gateway writes nothing that was not armed, whatever the tag says. */
  needsArming: boolean;
}

export interface WriteDeps {
  clock: Clock;
  fleet: Pick<Fleet, "writeTarget">;
  permit: WritePermit;
  holds: Pick<Holds, "has" | "begin" | "forget" | "wait" | "release">;
}

/**
 * A write from the hub, judged once more by what this gateway knows itself: the rules in the manifest the hub signed, and
 * what somebody at the machine has switched. Never rejects.
 */
export async function performWrite(deps: WriteDeps, body: WriteTag, running: Running): Promise<Performed> {
  const { permit, fleet, clock } = deps;
  const target = fleet.writeTarget(body.tagNo);
  const armedBy = permit.armedBy();
  const refused = refusalOf(deps, target, body);
  const end =
    refused !== null || target === null
      ? { ...(refused ?? NO_SUCH_TAG), before: null, after: null }
      : await writeOnce(
          target,
          {
            value: judged(target, body.value),
            expected: valueOfKind(kindOfTag(target.tag), body.expected),
            veto: () => (running.isLate() ? LATE : vetoOf(permit, target)),
            pulse: pulseOf(deps, target, running.commandId),
          },
          clock,
        );
  const path = target?.tag.path ?? `tag ${body.tagNo}`;
  const by = body.by.join(" and ");
  log.info("write to {path} asked for by {by}: {outcome}", { path, by, outcome: end.outcome });
  return {
    outcome: end.outcome,
    message: `${body.value} for ${path}, asked for by ${by}. ${end.message}`,
    facts: factsOf(body, end, armedBy),
  };
}

function pulseOf({ holds, clock }: WriteDeps, target: WriteTarget, commandId: string): Pulse {
  const { tagNo, path } = target.tag;
  return {
    begin: (rest) =>
      holds.begin({ tagNo, commandId, path, place: placeOf(target), rest, sinceMs: clock.nowMs() }),
    forget: () => holds.forget(tagNo),
    wait: (ms) => holds.wait(tagNo, ms),
    release: () => holds.release(tagNo),
  };
}

const NO_SUCH_TAG: Veto = {
  outcome: "failed",
  code: "write.off",
  message: "This gateway runs no such tag. Nothing was written.",
};
const HELD: Veto = {
  outcome: "failed",
  code: "write.held",
  message: "What was pressed there before has yet to be taken back. Nothing was written.",
};
const LATE: Veto = { outcome: "expired", code: "", message: "It expired before it could be written." };

const judged = ({ tag }: WriteTarget, value: WriteTag["value"]): TagValue => {
  const judgement = judgeWrite(tag, value);
  return judgement.ok ? judgement.value : null;
};

/** Why it is refused before the device is asked. */
function refusalOf({ permit, holds }: WriteDeps, target: WriteTarget | null, body: WriteTag): Veto | null {
  if (target === null) return NO_SUCH_TAG;
  if (holds.has(body.tagNo)) return HELD;
  const judgement = judgeWrite(target.tag, body.value);
  const veto: Veto | null = judgement.ok
    ? vetoOf(permit, target)
    : {
        outcome: "failed",
        code: judgement.why === "off" ? "write.off" : "write.limits",
        message: judgement.message,
      };
  return veto && { ...veto, message: `${veto.message} Nothing was written.` };
}

function vetoOf(permit: WritePermit, { tag }: WriteTarget): Veto | null {
  if (permit.lockedOut())
    return {
      outcome: "failed",
      code: "write.lockedOut",
      message: "Somebody at the machine has locked out writes from afar.",
    };
  const needsArming = permit.needsArming || tag.write?.atMachine === true;
  if (needsArming && permit.armedBy() === null)
    return {
      outcome: "failed",
      code: "write.notArmed",
      message: "Nobody at the machine has armed writing from afar.",
    };
  return null;
}

function factsOf(body: WriteTag, end: WriteEnd, armedBy: string | null): Performed["facts"] {
  return {
    tagNo: body.tagNo,
    by: body.by.join(", "),
    code: end.code,
    before: fact(end.before),
    after: fact(end.after),
    armedBy,
  };
}

const fact = (value: TagValue): string | number | boolean | null => {
  const json = valueToJson(value);
  return typeof json === "string" ? json.slice(0, FACT_CHARACTERS_MAX) : json;
};
