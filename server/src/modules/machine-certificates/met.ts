import { getLogger } from "@logtape/logtape";
import type { PeerCertificate } from "@millrace/contract/vocabulary/certificate";
import type { Db } from "../../db/client.ts";
import { dropOldest, upsertMet } from "./store.ts";

const log = getLogger(["hub", "machine-certificates"]);

export const CERTIFICATES = {
  /** Kept of one gateway without a decision; a machine that shows another each time must not fill the database. */
  undecidedMax: 100,
  /** Shown of one gateway. */
  shownMax: 500,
  /** How often it is written again that one is still seen. */
  againMs: 3_600_000,
  /** Remembered as written lately. */
  rememberedMax: 20_000,
} as const;

/** Notes which certificates machines show, without a write for each report. */
export class CertificatesMet {
  readonly #db: Db;
  readonly #written = new Map<string, number>();

  constructor(db: Db) {
    this.#db = db;
  }

  /** Never throws: what cannot be noted now is noted with the next report. */
  async note(gatewayId: string, shown: readonly PeerCertificate[], at: Date): Promise<void> {
    const nowMs = at.getTime();
    const due = new Map<string, PeerCertificate>();
    for (const one of shown) {
      const key = `${gatewayId} ${one.endpoint} ${one.fingerprint}`;
      const writtenMs = this.#written.get(key);
      if (writtenMs === undefined || nowMs - writtenMs >= CERTIFICATES.againMs) due.set(key, one);
    }
    if (due.size === 0) return;
    try {
      await upsertMet(this.#db, gatewayId, [...due.values()], at);
      await dropOldest(this.#db, gatewayId, CERTIFICATES.undecidedMax);
      if (this.#written.size + due.size > CERTIFICATES.rememberedMax) this.#written.clear();
      for (const key of due.keys()) this.#written.set(key, nowMs);
    } catch (thrown) {
      log.debug("What machines showed of themselves could not be stored: {error}", { error: thrown });
    }
  }
}
