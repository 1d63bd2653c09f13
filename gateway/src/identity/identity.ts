import { makePrivateFolder } from "./durable-file.ts";
import { type GatewayKey, openKey } from "./key.ts";
import {
  type Counters,
  type IdentityState,
  readCounters,
  readIdentityState,
  writeCounters,
  writeIdentityState,
} from "./state.ts";

/** An enrolled gateway: who it is, its key, and the counters that tell its lives apart. */
export interface Identity {
  readonly key: GatewayKey;
  /** Number of this start; durable before anybody sees it. */
  readonly bootNo: number;
  /** Changes only in `epoch`, by `renewEpoch` and `adoptEpoch`. */
  state(): IdentityState;
  /** Next session number, durable before it is returned: the hub takes a repeated one for a clone. */
  nextSessionNo(): Promise<number>;
  /** Moves to the next epoch, durably: sequence numbers begin again at 1 and the old ones are never reused. */
  renewEpoch(): Promise<number>;
  /** Follows the buffer to an epoch that the hub named, durably. A lower one than known changes nothing. */
  adoptEpoch(epoch: number): Promise<void>;
}

/** What the data folder knows before anything is started. `state` is null until the gateway is enrolled. */
export interface Enrollable {
  readonly key: GatewayKey;
  readonly state: IdentityState | null;
}

/**
 * Opens the data folder, making it and the key at first start.
 * @throws AppError `setting.wrong` when a file in it is damaged.
 */
export async function openIdentityFolder(folder: string): Promise<Enrollable> {
  await makePrivateFolder(folder);
  return { key: await openKey(folder), state: await readIdentityState(folder) };
}

/** Counts this boot and returns the identity that the outbox and the uplink work with. */
export async function bootIdentity(
  folder: string,
  key: GatewayKey,
  enrolled: IdentityState,
): Promise<Identity> {
  let state = enrolled;
  let counters: Counters = await readCounters(folder);
  counters = { ...counters, bootNo: counters.bootNo + 1 };
  await writeCounters(folder, counters);
  // One writer at a time: two overlapping writes of the same file could leave the smaller number behind.
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const done = turn.then(run, run);
    turn = done.catch(() => undefined);
    return done;
  };
  return {
    key,
    bootNo: counters.bootNo,
    state: () => state,
    nextSessionNo: () =>
      inTurn(async () => {
        const next = { ...counters, sessionNo: counters.sessionNo + 1 };
        await writeCounters(folder, next);
        counters = next;
        return next.sessionNo;
      }),
    renewEpoch: () =>
      inTurn(async () => {
        const next = { ...state, epoch: state.epoch + 1 };
        await writeIdentityState(folder, next);
        state = next;
        return next.epoch;
      }),
    adoptEpoch: (epoch) =>
      inTurn(async () => {
        if (epoch <= state.epoch) return;
        const next = { ...state, epoch };
        await writeIdentityState(folder, next);
        state = next;
      }),
  };
}
