import { createHash, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import { AppError, asAppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import { isLoopback } from "@millrace/contract/std/loopback";
import { settingWrong } from "@millrace/contract/std/setting";
import type { HubLinkTrust } from "@millrace/contract/vocabulary/gateway";
import { HUB_TRUST, HubTrust, SignedHubTrust } from "@millrace/contract/wire/hub-trust";
import { ROUTE } from "@millrace/contract/wire/route";
import { hubTrustText } from "@millrace/contract/wire/signature";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { readChecked } from "./checked-file.ts";
import { writeDurably } from "./durable-file.ts";
import { isSignedBy } from "./key.ts";

const log = getLogger(["gateway", "trust"]);

const FILE = "hub-trust.json";
const ANSWER_MS_MAX = 10_000;
const ANSWER_CHARACTERS_MAX = HUB_TRUST.authoritiesMax * HUB_TRUST.pemCharactersMax * 2;

/** `rev` is 0 while the authority is known by the claim's fingerprint only. */
const Kept = Type.Object({
  rev: Type.Integer({ minimum: 0 }),
  authorities: HubTrust.properties.authorities,
});
type Kept = Static<typeof Kept>;

/** For `fetch` and `WebSocket` alike. The environment cannot switch the check off. */
export interface TlsTrust {
  rejectUnauthorized: true;
  /** Replaces the public authorities. */
  ca?: string[];
}

export interface HubTrustDeps {
  folder: string;
  hubUrl: string;
  clock: Clock;
  /** Asks whoever is at the hub's address, without judging its certificate: the answer is judged. */
  fetchUnchecked: (url: string, init: RequestInit) => Promise<Response>;
}

/**
 * By what this gateway knows its hub's certificate: the authority it pinned, or the public ones while it has pinned
 * none. Two things may set it, and neither rests on the connection it came over: the fingerprint in the claim command,
 * and a word signed with the hub's own key, under a higher number than the last.
 */
export class HubTrustKeeper {
  readonly #deps: HubTrustDeps;
  #kept: Kept | null;
  #asking = false;

  private constructor(deps: HubTrustDeps, kept: Kept | null) {
    this.#deps = deps;
    this.#kept = kept;
  }

  /** @throws AppError `setting.wrong` when the file in the data folder is damaged */
  static async open(deps: HubTrustDeps): Promise<HubTrustKeeper> {
    const path = join(deps.folder, FILE);
    const kept = await readChecked(path, Kept, (what, cause) => {
      const message = `${path} is damaged (${what}). Restore it from a backup, or move it away and claim this gateway again.`;
      return new AppError("setting.wrong", message, { cause, context: { path } });
    });
    return new HubTrustKeeper(deps, kept);
  }

  tls(): TlsTrust {
    const authorities = this.#kept?.authorities ?? [];
    return authorities.length === 0
      ? { rejectUnauthorized: true }
      : { rejectUnauthorized: true, ca: authorities };
  }

  /** How the link to the hub stands, for the people there. */
  kind(): HubLinkTrust {
    const { protocol, hostname } = new URL(this.#deps.hubUrl);
    if (protocol !== "https:") return isLoopback(hostname) ? "loopback" : "plain";
    return "ca" in this.tls() ? "pinned" : "public";
  }

  /**
   * Pins the authority with this fingerprint; does nothing once one is pinned.
   * @param pin as in the claim command: `sha256:` and 64 hex digits
   * @throws AppError `uplink.unreachable`; `setting.wrong` when whoever answers has no such authority
   */
  async pin(pin: string): Promise<void> {
    if (this.#kept !== null) return;
    const { trust } = await this.#ask();
    const found = trust.authorities.find((pem) => pinOf(pem) === pin);
    if (found === undefined)
      throw settingWrong(
        "MILLRACE_HUB_CA",
        `whoever answers at ${this.#deps.hubUrl} has no authority with this fingerprint. Copy the claim command from the hub again; if it stays so, somebody stands between this gateway and the hub.`,
      );
    await this.#keep({ rev: 0, authorities: [found] });
  }

  /**
   * Takes what the hub says now, when it is signed with the hub's pinned key and newer. Never throws: whoever answers
   * instead of the hub changes nothing.
   * @returns true when something changed
   */
  async learn(hub: { hubId: string; hubPublicKey: string }): Promise<boolean> {
    if (this.#asking) return false;
    this.#asking = true;
    try {
      const { trust, signature } = await this.#ask();
      const genuine =
        trust.hubId === hub.hubId && isSignedBy(hub.hubPublicKey, hubTrustText(trust), signature);
      if (!genuine || trust.rev <= (this.#kept?.rev ?? 0)) return false;
      trust.authorities.forEach(pinOf);
      const known = JSON.stringify(this.#kept?.authorities ?? []);
      await this.#keep({ rev: trust.rev, authorities: trust.authorities });
      if (known !== JSON.stringify(trust.authorities))
        log.info("The hub named other authorities for its certificate, signed with its key", {
          rev: trust.rev,
        });
      return true;
    } catch (thrown) {
      log.debug("nothing learned about the hub's authority: {reason}", {
        reason: asAppError(thrown).message,
      });
      return false;
    } finally {
      this.#asking = false;
    }
  }

  async #keep(kept: Kept): Promise<void> {
    await writeDurably(join(this.#deps.folder, FILE), `${JSON.stringify(kept, null, 2)}\n`);
    this.#kept = kept;
  }

  async #ask(): Promise<SignedHubTrust> {
    const { hubUrl, clock, fetchUnchecked } = this.#deps;
    const late = new AbortController();
    const cancel = clock.after(ANSWER_MS_MAX, () =>
      late.abort(new Error(`no answer in ${ANSWER_MS_MAX} ms`)),
    );
    try {
      const url = new URL(ROUTE.hubTrust, hubUrl).href;
      const response = await fetchUnchecked(url, { redirect: "manual", signal: late.signal });
      const declared = Number(response.headers.get("content-length") ?? 0);
      if (declared > ANSWER_CHARACTERS_MAX) throw new Error(`an answer of ${declared} bytes`);
      const found: unknown = JSON.parse(await response.text());
      if (Value.Check(SignedHubTrust, found)) return found;
      throw new Error("the answer is not as a Millrace hub gives it");
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new AppError("uplink.unreachable", `${hubUrl} does not say what to trust: ${why}`, { cause });
    } finally {
      cancel();
    }
  }
}

/** As the hub makes it for the claim command: SHA-256 over the public key. @throws for what is no certificate */
function pinOf(pem: string): string {
  const spki = new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" });
  return `sha256:${createHash("sha256").update(spki).digest("hex")}`;
}
