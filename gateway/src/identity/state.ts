import { join } from "node:path";
import { AppError } from "@millrace/contract/error/app-error";
import { Base64Url, EntityId } from "@millrace/contract/vocabulary/id";
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { readChecked } from "./checked-file.ts";
import { writeDurably } from "./durable-file.ts";

/** Who this gateway is, as its hub said when it was enrolled. */
export const IdentityState = Type.Object({
  gatewayId: EntityId,
  gatewayName: Type.String(),
  keyId: Type.String({ minLength: 1, maxLength: 64 }),
  epoch: Type.Integer({ minimum: 1, maximum: 0xffff_ffff }),
  hubId: EntityId,
  hubPublicKey: Base64Url(32),
  hubUrl: Type.String({ minLength: 1 }),
});
export type IdentityState = Static<typeof IdentityState>;

/** Counters that only grow, across restarts and power cuts. */
export const Counters = Type.Object({
  bootNo: Type.Integer({ minimum: 0 }),
  sessionNo: Type.Integer({ minimum: 0 }),
});
export type Counters = Static<typeof Counters>;

const IDENTITY_FILE = "identity.json";
const COUNTERS_FILE = "counters.json";

/** @throws AppError `setting.wrong` when the file is there but not readable as an identity. */
export const readIdentityState = (folder: string): Promise<IdentityState | null> =>
  readState(join(folder, IDENTITY_FILE), IdentityState);

export const writeIdentityState = (folder: string, state: IdentityState): Promise<void> =>
  writeDurably(join(folder, IDENTITY_FILE), `${JSON.stringify(state, null, 2)}\n`);

/** @throws AppError `setting.wrong` when the file is there but damaged. */
export const readCounters = async (folder: string): Promise<Counters> =>
  (await readState(join(folder, COUNTERS_FILE), Counters)) ?? { bootNo: 0, sessionNo: 0 };

export const writeCounters = (folder: string, counters: Counters): Promise<void> =>
  writeDurably(join(folder, COUNTERS_FILE), `${JSON.stringify(counters)}\n`);

const readState = <S extends TSchema>(path: string, schema: S): Promise<Static<S> | null> =>
  readChecked(path, schema, (what, cause) => damaged(path, what, cause));

function damaged(path: string, what: string, cause?: unknown): AppError {
  return new AppError(
    "setting.wrong",
    `${path} is damaged (${what}). Restore it from a backup, or move it away and enrol this gateway again.`,
    { cause, context: { path } },
  );
}
