import { encodeKnownFrames } from "@millrace/contract/wire/known-frames";
import type { HelloBody } from "@millrace/contract/wire/uplink";
import type { HelloOrder } from "../../../server/src/ingest/hello-order.ts";
import type { Refusal } from "../../../server/src/ingest/protocol.ts";
import { CLONE, judgeHistory, type Renewal, reusesNumbers } from "../../../server/src/ingest/renewal.ts";
import type { StreamMark } from "../../../server/src/ingest/store.ts";
import { type HubDatabase, type HubState, streamName } from "./database.ts";

export type Verdict =
  | { ok: true; marks: StreamMark[] }
  | { ok: false; refusal: Refusal }
  | { ok: false; renewal: Renewal };

/**
 * The statements of the hub's `checkHello`, on the database in memory: each may fail or be the last before the hub
 * dies. The judgements are the hub's own.
 */
export async function checkHello(
  database: HubDatabase,
  isAlive: () => boolean,
  body: HelloBody,
  nowMs: number,
  { order, openedNo }: { order: HelloOrder; openedNo: number },
): Promise<Verdict> {
  const ask = <T>(effect: () => T): Promise<T> => database.statement(isAlive, effect);
  const { epoch, sessionNo, renewalDue, isCloned } = await ask(() => ({ ...database.state }));
  if (isCloned) return { ok: false, refusal: "cloned" };
  order.proven(body.gatewayId, openedNo);
  const isOvertaken = () => order.isOvertaken(body.gatewayId, openedNo);
  if (isOvertaken()) return { ok: false, refusal: "superseded" };
  const identity = { epoch, sessionNo, renewalDue } as Parameters<typeof judgeHistory>[1];
  const reason = judgeHistory(body, identity);
  if (reason !== null) return await renewed(database, ask, body, nowMs);
  if (body.epoch > epoch) await ask(() => raiseEpoch(database.state, body.epoch));
  const marks = await ask(() => openStreams(database.state, body));
  if (isOvertaken()) return { ok: false, refusal: "superseded" };
  if (reusesNumbers(body, marks)) return await renewed(database, ask, body, nowMs);
  if (!(await ask(() => saveWelcome(database.state, body)))) return { ok: false, refusal: "busy" };
  return { ok: true, marks };
}

type Ask = <T>(effect: () => T) => Promise<T>;

async function renewed(database: HubDatabase, ask: Ask, body: HelloBody, nowMs: number): Promise<Verdict> {
  const epoch = await ask(() => issueEpoch(database.state, body, nowMs));
  if (epoch === null) return { ok: false, refusal: "cloned" };
  const streams: Renewal["streams"] = [];
  for (const { lane, seg, acked } of body.streams) {
    const from = Math.min(acked, database.state.marks.get(streamName(body.epoch, { lane, seg }))?.last ?? 0);
    const known = await ask(() => {
      const rows = database.state.journal.get(streamName(body.epoch, { lane, seg })) ?? [];
      return encodeKnownFrames(rows.filter(({ first }) => first > from));
    });
    streams.push({ lane, seg, from, known });
  }
  return { ok: false, renewal: { epoch, streams } };
}

/** The transaction of `renew`. */
function issueEpoch(state: HubState, body: HelloBody, nowMs: number): number | null {
  if (state.isCloned) return null;
  const pending = state.renewals.find(({ toEpoch }) => toEpoch === state.epoch);
  if (body.epoch < state.epoch && pending !== undefined && !pending.isUsed) {
    state.sessionNo = body.sessionNo;
    state.renewalDue = null;
    return state.epoch;
  }
  const before = state.renewals.filter(({ atMs }) => atMs >= nowMs - CLONE.withinMs).length;
  if (before + 1 >= CLONE.renewals) {
    state.isCloned = true;
    return null;
  }
  const epoch = Math.max(state.epoch, body.epoch) + 1;
  state.renewals = [...state.renewals, { toEpoch: epoch, atMs: nowMs, isUsed: false }];
  state.sessionNo = body.sessionNo;
  state.renewalDue = null;
  state.epoch = epoch;
  fence(state);
  return epoch;
}

function fence(state: HubState): void {
  for (const [name, mark] of state.marks) if (Number.parseInt(name, 10) < state.epoch) mark.fenced = true;
}

function raiseEpoch(state: HubState, epoch: number): void {
  if (state.epoch >= epoch) return;
  state.epoch = epoch;
  state.sessionNo = 0;
  state.renewalDue = null;
  fence(state);
}

function openStreams(state: HubState, { epoch, streams }: HelloBody): StreamMark[] {
  return streams.map(({ lane, seg }) => {
    const name = streamName(epoch, { lane, seg });
    const mark = state.marks.get(name) ?? { last: 0, fenced: false };
    state.marks.set(name, mark);
    return { lane, seg, hwm: mark.last, fenced: mark.fenced };
  });
}

function saveWelcome(state: HubState, body: HelloBody): boolean {
  const { epoch, sessionNo, renewalDue, isCloned } = state;
  if (epoch !== body.epoch || sessionNo >= body.sessionNo || renewalDue !== null || isCloned) return false;
  state.sessionNo = body.sessionNo;
  state.commandNo = Math.max(state.commandNo, body.commandNo ?? 0);
  state.renewals = state.renewals.map((renewal) =>
    renewal.toEpoch === epoch ? { ...renewal, isUsed: true } : renewal,
  );
  return true;
}
