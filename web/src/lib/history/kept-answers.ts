import type { SamplesAnswer } from "@millrace/contract/api/history";
import { SamplesAnswer as SamplesSchema } from "@millrace/contract/api/history";
import { Check } from "@sinclair/typebox/value";
import type { OfflineStore, SavedHistory } from "../offline/store.ts";
import { answerOfOne, historyOf, type PenHistory } from "./columns.ts";

/** A kept answer with the time it was saved, ms of this device. */
export interface Kept {
  history: PenHistory;
  savedMs: number;
}

/** Ranges of about the same length share a place, so that a day of looking around does not fill the device. */
export const keyOf = (tagNo: number, lengthMs: number): string =>
  `${tagNo}/${Math.round(Math.log2(Math.max(1, lengthMs / 60_000)))}`;

const overlap = (history: PenHistory, fromMs: number, toMs: number): number =>
  Math.max(0, Math.min(history.toMs, toMs) - Math.max(history.fromMs, fromMs));

/** Of the answers of one tag the one that shows most of the range; of equal ones the finer. Null when none touches it. */
export function bestOf(kept: readonly Kept[], fromMs: number, toMs: number): Kept | null {
  const touching = kept.filter(({ history }) => overlap(history, fromMs, toMs) > 0);
  const worth = ({ history }: Kept) =>
    overlap(history, fromMs, toMs) / (toMs - fromMs) - history.intervalMs / 1e12;
  return touching.toSorted((a, b) => worth(b) - worth(a))[0] ?? null;
}

/** What this device has of a tag in a range. */
export async function keptOf(
  store: OfflineStore,
  tagNo: number,
  fromMs: number,
  toMs: number,
): Promise<Kept | null> {
  const kept = (await store.histories(tagNo)).flatMap(({ body, savedMs }) => {
    if (!Check(SamplesSchema, body)) return [];
    const history = historyOf(body, tagNo);
    return history === null ? [] : [{ history, savedMs }];
  });
  return bestOf(kept, fromMs, toMs);
}

/** Keeps an answer, tag by tag, so that each can be found and let go alone. */
export async function keep(
  store: OfflineStore,
  answer: SamplesAnswer,
  tagNos: readonly number[],
  savedMs: number,
): Promise<void> {
  const lengthMs = Date.parse(answer.to) - Date.parse(answer.from);
  const rows: SavedHistory[] = tagNos.map((tagNo) => ({
    key: keyOf(tagNo, lengthMs),
    tagNo,
    savedMs,
    body: answerOfOne(answer, tagNo),
  }));
  await store.saveHistories(rows);
}
