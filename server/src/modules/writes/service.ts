import {
  SELECTION_MS,
  type TagWrite,
  WRITE_ANSWER_MS,
  WRITES_SHOWN_MAX,
  type WriteGate,
  type WriteSelect,
  type WritesOfDevice,
  type WritesOfTag,
  type WritesQuery,
} from "@millrace/contract/api/write";
import { AppError } from "@millrace/contract/error/app-error";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import { staleAfterMs } from "@millrace/contract/vocabulary/tag";
import { type JsonValue, valueToJson } from "@millrace/contract/vocabulary/value";
import { writeClassOf } from "@millrace/contract/vocabulary/write";
import { WRITE_MS } from "@millrace/contract/wire/command";
import { judgeWrite } from "@millrace/contract/write/judge";
import { decodeCursor, pageOf } from "../../http/page.ts";
import { type Principal, whoOf } from "../../http/principal.ts";
import type { Answers } from "../../ingest/answers.ts";
import { applyChange, found } from "../change.ts";
import { type CommandDeps, sendCommand } from "../commands/service.ts";
import { getDevice } from "../devices/service.ts";
import type { LatestCache } from "../latest/cache.ts";
import { requireProofSince } from "./identity.ts";
import { mapWrite } from "./map.ts";
import {
  deleteLapsed,
  findWritable,
  findWrite,
  insertSelection,
  listOfDevice,
  listOfTag,
  type ShownWrite,
  saveAgreement,
  spend,
  type Writable,
} from "./store.ts";

/** Choices nobody carried out are forgotten after a day. */
const LAPSED_KEEP_MS = 24 * 3_600_000;

export interface WriteDeps extends CommandDeps {
  cache: Pick<LatestCache, "read">;
  answers: Pick<Answers, "expect">;
}

/**
 * Chooses a value for a tag: judged by its rules, bound to who chose it, to the value that is there now and to a short
 * while. Nothing is written yet.
 * @throws AppError `entity.missing` | `write.off` | `write.limits` | `write.unseen` | `write.lockedOut` | `command.away`
 */
export async function selectWrite(
  deps: WriteDeps,
  principal: Principal,
  tagNo: number,
  { value }: WriteSelect,
): Promise<TagWrite> {
  const tag = found(await findWritable(deps.db, tagNo), "tag");
  const written = judged(tag, value);
  requireConnected(deps, tag);
  const { clock } = deps;
  const nowMs = clock.nowMs();
  const expected = presentOf(deps, tag, nowMs);
  const id = Bun.randomUUIDv7();
  const writeClass = writeClassOf(tag.write ?? {});
  const lifeMs = writeClass === 3 ? SELECTION_MS.withSecond : SELECTION_MS.own;
  await applyChange(deps, principal, async (tx) => {
    await deleteLapsed(tx, new Date(nowMs - LAPSED_KEEP_MS));
    const row = {
      id,
      tagNo,
      deviceId: tag.deviceId,
      writeClass,
      chosen: { value: written, expected },
      selectedById: whoOf(principal),
      selectedBy: principal.name,
      selectedAt: new Date(nowMs),
      expiresAt: new Date(nowMs + lifeMs),
    };
    await insertSelection(tx, row);
    return {
      action: "tag.select",
      subject: `tag:${tagNo}`,
      old: { value: expected },
      new: { writeId: id, value: written, class: writeClass },
      result: null,
      gatewayIds: [],
    };
  });
  return await getWrite(deps, tagNo, id);
}

/** @returns the value as it is kept and sent */
function judged(tag: Writable, value: JsonValue): JsonValue {
  const context = { tagNo: tag.tagNo, value };
  if (!tag.enabled) throw new AppError("write.off", "The device of this tag is switched off.", { context });
  const judgement = judgeWrite(tag, value);
  if (judgement.ok) return valueToJson(judgement.value);
  throw new AppError(judgement.why === "off" ? "write.off" : "write.limits", judgement.message, { context });
}

function requireConnected({ link }: WriteDeps, { tagNo, gatewayId, local }: Writable): void {
  if (link.commandNoOf(gatewayId) === "away")
    throw new AppError(
      "command.away",
      "The gateway of this tag is not connected, and writes are not kept for later.",
    );
  if (local?.lockedOut === true)
    throw new AppError("write.lockedOut", "Somebody at the machine has locked out writes from afar.", {
      context: { tagNo },
    });
}

/** What is there now, as somebody sees it who chooses a value. */
function presentOf({ cache }: WriteDeps, { tagNo, heartbeatMs }: Writable, nowMs: number): JsonValue {
  const newest = cache.read(tagNo)?.newest ?? null;
  const isLive = newest !== null && nowMs - newest.timeMs <= staleAfterMs(heartbeatMs);
  // A value out of its range is one, and often the reason for the write.
  const isUsable = newest?.quality === QUALITY.good || newest?.quality === QUALITY["uncertain.outOfRange"];
  if (newest === null || newest.value === null || !isLive || !isUsable)
    throw new AppError(
      "write.unseen",
      "The present value of this tag is not known, so nobody can say what would be overwritten.",
    );
  return valueToJson(newest.value);
}

/**
 * A second person agrees to somebody else's choice, and shows for it who they are.
 * @throws AppError `entity.missing` | `write.selection` | `write.second` | `write.proof`
 */
export async function agreeToWrite(
  deps: WriteDeps,
  principal: Principal,
  tagNo: number,
  id: string,
): Promise<TagWrite> {
  const { write } = found(await findWrite(deps.db, tagNo, id), "write");
  if (write.writeClass !== 3) throw new AppError("write.selection", "This write needs no second person.");
  if (write.selectedById === whoOf(principal))
    throw new AppError("write.second", "The second person must be somebody else than who chose the value.");
  requireProofSince(principal, write.selectedAt.getTime());
  await applyChange(deps, principal, async (tx) => {
    const by = { id: whoOf(principal), name: principal.name };
    if (!(await saveAgreement(tx, id, by, new Date(deps.clock.nowMs())))) throw lapsed();
    return {
      action: "tag.agree",
      subject: `tag:${tagNo}`,
      old: null,
      new: { writeId: id, value: write.chosen.value, selectedBy: write.selectedBy },
      result: null,
      gatewayIds: [],
    };
  });
  return await getWrite(deps, tagNo, id);
}

const lapsed = () =>
  new AppError(
    "write.selection",
    "This choice has lapsed or was carried out already; choose the value again.",
  );

/**
 * Carries out one's own choice, once: a signed command to the gateway, whose outcome is waited for a moment.
 * @throws AppError `entity.missing` | `write.selection` | `write.proof` | `write.second` | `write.off` | `write.limits` |
 *   `command.away` | `command.refused`
 */
export async function executeWrite(
  deps: WriteDeps,
  principal: Principal,
  tagNo: number,
  id: string,
): Promise<TagWrite> {
  const { write } = found(await findWrite(deps.db, tagNo, id), "write");
  if (write.selectedById !== whoOf(principal))
    throw new AppError("write.selection", "A choice is carried out by who made it.");
  const tag = found(await findWritable(deps.db, tagNo), "tag");
  // The rules may have changed since.
  const value = judged(tag, write.chosen.value);
  const isStricter = writeClassOf(tag.write ?? {}) > write.writeClass;
  if (isStricter || write.commandId !== null || write.expiresAt.getTime() <= deps.clock.nowMs())
    throw lapsed();
  if (write.writeClass > 1) requireProofSince(principal, write.selectedAt.getTime());
  if (write.writeClass === 3 && write.agreedById === null)
    throw new AppError("write.second", "A second person who may write here must agree first.");
  await sendWrite(deps, principal, tag, { ...write, chosen: { ...write.chosen, value } });
  return await getWrite(deps, tagNo, id);
}

async function sendWrite(
  deps: WriteDeps,
  principal: Principal,
  { tagNo, gatewayId }: Writable,
  write: ShownWrite["write"],
): Promise<void> {
  const by = [write.selectedBy, ...(write.agreedBy === null ? [] : [write.agreedBy])];
  const body = { kind: "writeTag" as const, tagNo, ...write.chosen, by };
  let answer: ReturnType<Answers["expect"]> | null = null;
  try {
    await sendCommand(deps, principal, gatewayId, body, {
      lifeMs: WRITE_MS,
      audit: {
        action: "tag.write",
        subject: `tag:${tagNo}`,
        facts: { writeId: write.id, gatewayId, agreedBy: write.agreedBy, agreedById: write.agreedById },
      },
      keep: async (tx, commandId) => {
        if (!(await spend(tx, write.id, commandId, new Date(deps.clock.nowMs())))) throw lapsed();
      },
      onKept: (commandId) => {
        answer = deps.answers.expect(commandId);
      },
    });
    await (answer as ReturnType<Answers["expect"]> | null)?.wait(WRITE_ANSWER_MS);
  } finally {
    (answer as ReturnType<Answers["expect"]> | null)?.[Symbol.dispose]();
  }
}

/** @throws AppError `entity.missing` */
export async function getWrite(
  deps: Pick<WriteDeps, "db" | "clock">,
  tagNo: number,
  id: string,
): Promise<TagWrite> {
  return mapWrite(found(await findWrite(deps.db, tagNo, id), "write"), deps.clock.nowMs());
}

/** The newest writes to one tag, the latest first, and how its gateway stands to them. @throws AppError `entity.missing` */
export async function writesOfTag(deps: WriteDeps, tagNo: number): Promise<WritesOfTag> {
  const nowMs = deps.clock.nowMs();
  const tag = found(await findWritable(deps.db, tagNo), "tag");
  const rows = await listOfTag(deps.db, tagNo, new Date(nowMs), WRITES_SHOWN_MAX);
  return { items: rows.map((row) => mapWrite(row, nowMs)), gate: gateOf(deps, tag) };
}

function gateOf({ link }: WriteDeps, { gatewayId, write, local }: Writable): WriteGate {
  const untilMs = local?.writesArmedUntilMs ?? null;
  return {
    connected: link.commandNoOf(gatewayId) !== "away",
    lockedOut: local?.lockedOut ?? null,
    needsArming: write?.atMachine === true || local?.writesNeedArming === true,
    armedUntil: untilMs === null ? null : new Date(untilMs).toISOString(),
  };
}

/** Writes to all tags of a device, the latest first. @throws AppError `entity.missing`, `request.invalid` */
export async function writesOfDevice(
  deps: WriteDeps,
  deviceId: string,
  query: WritesQuery,
): Promise<WritesOfDevice> {
  await getDevice(deps.db, deviceId);
  const limit = query.limit ?? WRITES_SHOWN_MAX;
  const place = decodeCursor(query.cursor, ["instant", "uuid"]);
  const after = place && { selectedAt: String(place[0]), id: String(place[1]) };
  const nowMs = deps.clock.nowMs();
  const rows = await listOfDevice(
    deps.db,
    { deviceId, after, result: query.result },
    new Date(nowMs),
    limit + 1,
  );
  return pageOf(
    rows,
    limit,
    (row) => mapWrite(row, nowMs),
    ({ write }) => [write.selectedAt.toISOString(), write.id],
  );
}
