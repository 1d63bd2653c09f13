import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@millrace/contract/error/app-error";
import type { Db } from "./db/client.ts";
import { hub } from "./db/schema/hub.ts";
import type { HubIdentity } from "./ports.ts";
import { readIfThere, writePrivate } from "./private-file.ts";

async function makeKey(file: string): Promise<string> {
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  await writePrivate(file, pem);
  return pem;
}

/**
 * The hub's signing key, a file of its own that only the hub's user may read; made at the first start.
 *
 * @throws AppError `setting.wrong` when the file is there but holds no Ed25519 key
 */
export async function loadHubKey(dataFolder: string): Promise<KeyObject> {
  const file = join(dataFolder, "keys", "hub.ed25519.pem");
  const pem = await readIfThere(file);
  try {
    const key = createPrivateKey(pem ?? (await makeKey(file)));
    await chmod(file, 0o600);
    if (key.asymmetricKeyType !== "ed25519") throw new Error(`a key of type ${key.asymmetricKeyType}`);
    return key;
  } catch (cause) {
    throw new AppError(
      "setting.wrong",
      `MILLRACE_DATA: ${file} holds no Ed25519 key; restore it from a backup.`,
      {
        cause,
      },
    );
  }
}

/** Id from the database, key from the file. The id is made once and never changes. */
export async function loadIdentity(db: Db, key: KeyObject): Promise<HubIdentity> {
  await db.insert(hub).values({ id: Bun.randomUUIDv7() }).onConflictDoNothing();
  const [row] = await db.select({ id: hub.id }).from(hub);
  if (row === undefined) throw new AppError("database.failed", "The hub has no identity row.");
  return {
    hubId: row.id,
    publicKey: String(createPublicKey(key).export({ format: "jwk" }).x),
    sign: (text) => sign(null, Buffer.from(text), key).toString("base64url"),
  };
}
