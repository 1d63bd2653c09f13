import { AuditVerdict } from "@millrace/contract/api/audit";
import { asFault, type HubFault } from "../../error/fault.ts";
import type { Services } from "../../services.ts";

/** Walking years of entries takes the hub a while; it gives up after four minutes itself. */
const VERIFY_TIMEOUT_MS = 250_000;

export type VerifyView =
  | { at: "idle" }
  | { at: "running"; sinceMs: number }
  | { at: "done"; verdict: AuditVerdict; doneMs: number }
  | { at: "failed"; fault: HubFault };

/** The check of the audit's chain. */
export class AuditCheck {
  verify: VerifyView = $state.raw({ at: "idle" });
  readonly #services: Pick<Services, "client" | "clock">;

  constructor(services: Pick<Services, "client" | "clock">) {
    this.#services = services;
  }

  /** Has the hub walk its whole chain. Never throws. */
  async check(): Promise<void> {
    const { client, clock } = this.#services;
    if (this.verify.at === "running") return;
    this.verify = { at: "running", sinceMs: clock.nowMs() };
    try {
      const verdict = await client.call({
        method: "GET",
        path: "/api/v1/audit/verify",
        schema: AuditVerdict,
        timeoutMs: VERIFY_TIMEOUT_MS,
      });
      this.verify = { at: "done", verdict, doneMs: clock.nowMs() };
    } catch (thrown) {
      this.verify = { at: "failed", fault: asFault(thrown) };
    }
  }
}
