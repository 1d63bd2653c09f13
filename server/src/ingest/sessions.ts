import { getLogger } from "@logtape/logtape";
import type { Clock } from "@millrace/contract/std/clock";
import type { GatewayStatus } from "@millrace/contract/vocabulary/gateway";
import type { Command } from "@millrace/contract/wire/command";
import type { FieldBody, FieldBus, FieldResult } from "@millrace/contract/wire/field";
import type { SQL } from "bun";
import type { Db } from "../db/client.ts";
import { CertificatesMet } from "../modules/machine-certificates/met.ts";
import type { NumberedManifest } from "../modules/manifests/service.ts";
import type { GatewayLink, SessionPort } from "../ports.ts";
import { fieldAway } from "./field-line.ts";
import type { HubMetrics } from "./metrics.ts";
import type { GatewaySession } from "./session.ts";
import { findLinks, findUnwelcome, saveHealth, saveLink, saveManifestResult } from "./store.ts";

const log = getLogger(["hub", "sessions"]);

const TICK_MS = 1_000;
/** How often the database is asked whose key still counts; a revocation elsewhere ends a session within this. */
const REVOKED_LOOK_TICKS = 3;

export interface SessionsDeps {
  db: Db;
  sql: SQL;
  clock: Clock;
  metrics: HubMetrics;
}

export type LinkListener = (gatewayId: string, link: GatewayLink) => void;

/** Every connected gateway, one session each; the hub's word on whose link is up. */
export class Sessions implements SessionPort {
  readonly #open = new Set<GatewaySession>();
  readonly #byGateway = new Map<string, GatewaySession>();
  readonly #links = new Map<string, GatewayLink>();
  /** Newest report of each gateway that is not stored yet: one write a tick at the most, whatever a gateway sends. */
  readonly #reports = new Map<string, GatewayStatus>();
  readonly #listeners = new Set<LinkListener>();
  #ticks = 0;
  #linksVersion = 0;
  #cancelTick: () => void = () => undefined;

  /** What machines show of themselves, as the gateways report it. */
  readonly certificates: CertificatesMet;

  constructor(private readonly deps: SessionsDeps) {
    this.certificates = new CertificatesMet(deps.db);
  }

  /**
   * Begins with every known gateway away since it was last seen: after a restart a browser must not take the values of
   * a gateway that has not come back for live ones.
   */
  async load(): Promise<void> {
    for (const { gatewayId, since } of await findLinks(this.deps.db)) {
      this.#links.set(gatewayId, { linkState: "down", sinceMs: since?.getTime() ?? null });
    }
  }

  start(): void {
    this.#cancelTick = this.deps.clock.after(TICK_MS, () => {
      this.#tick();
      this.start();
    });
  }

  /** Says goodbye to every gateway and waits for the commits that are under way. */
  async stop(): Promise<void> {
    this.#cancelTick();
    const open = [...this.#open];
    for (const session of open) session.refuse("shutdown");
    await Promise.all(open.map((session) => session.closed()));
    await this.#storeReports();
  }

  opened(session: GatewaySession): void {
    this.#open.add(session);
  }

  /** Ends the session of a gateway that proved anew who it is; resolves when no commit of it is under way. */
  async retire(gatewayId: string): Promise<void> {
    const older = this.#byGateway.get(gatewayId);
    older?.refuse("superseded");
    await older?.closed();
  }

  /** A gateway proved who it is. An older session of it is a ghost of a lost connection, or a second machine. */
  joined(session: GatewaySession, manifestRunning: number): void {
    const gatewayId = session.gatewayId;
    if (gatewayId === null || !session.running) return;
    const older = this.#byGateway.get(gatewayId);
    this.#byGateway.set(gatewayId, session);
    if (older !== undefined && older !== session) older.refuse("superseded");
    this.#setLink(gatewayId, "up");
    this.#save("link", saveLink(this.deps.db, gatewayId, new Date(this.deps.clock.nowMs())));
    this.#save(
      "manifest",
      saveManifestResult(this.deps.db, gatewayId, { running: manifestRunning, error: null }),
    );
    log.info("Gateway {gatewayId} is connected", { gatewayId });
  }

  left(session: GatewaySession): void {
    this.#open.delete(session);
    const { gatewayId } = session;
    if (gatewayId === null || this.#byGateway.get(gatewayId) !== session) return;
    this.#byGateway.delete(gatewayId);
    this.#setLink(gatewayId, "down");
    this.#save("link", saveLink(this.deps.db, gatewayId, new Date(this.deps.clock.nowMs())));
    log.warn("Gateway {gatewayId} is gone", { gatewayId });
  }

  reported(session: GatewaySession, status: GatewayStatus): void {
    if (session.gatewayId !== null) this.#reports.set(session.gatewayId, status);
  }

  manifestResult(session: GatewaySession, result: { running?: number; error: string | null }): void {
    if (session.gatewayId === null) return;
    this.#save("manifest", saveManifestResult(this.deps.db, session.gatewayId, result));
    if (result.error !== null) {
      log.error("Gateway {gatewayId} refused its manifest: {error}", {
        gatewayId: session.gatewayId,
        error: result.error,
      });
    }
  }

  offer(gatewayId: string, manifest: NumberedManifest): void {
    this.#byGateway.get(gatewayId)?.offer(manifest);
  }

  /** Highest command number of its session; `away` without one, `none` for a gateway that takes no commands. */
  commandNoOf(gatewayId: string): number | "away" | "none" {
    const session = this.#byGateway.get(gatewayId);
    return session?.running ? (session.commandNo ?? "none") : "away";
  }

  takes(gatewayId: string, kind: string): boolean {
    return this.#byGateway.get(gatewayId)?.commandKinds.includes(kind) ?? false;
  }

  /** @returns false when it did not leave the hub; it is not kept for later. */
  command(gatewayId: string, command: Command, signature: string): boolean {
    return this.#byGateway.get(gatewayId)?.command(command, signature) ?? false;
  }

  /** Tests its session takes; `away` without one, `none` for a gateway that takes none, `busy` while one runs. */
  fieldOf(gatewayId: string): readonly string[] | "away" | "none" | "busy" {
    const session = this.#byGateway.get(gatewayId);
    if (!session?.running) return "away";
    return session.fieldBusy ? "busy" : (session.fieldKinds ?? "none");
  }

  /** What its session can be asked beside a test that runs; null without one. */
  looksOf(gatewayId: string): readonly string[] | null {
    const session = this.#byGateway.get(gatewayId);
    return session?.running ? (session.fieldKinds ?? []) : null;
  }

  /** @throws AppError `field.away` | `request.tooMany` | `request.tooLarge` | `field.timeout` */
  async ask(gatewayId: string, body: FieldBody | FieldBus, signal: AbortSignal): Promise<FieldResult> {
    const session = this.#byGateway.get(gatewayId);
    if (session === undefined) throw fieldAway("This gateway is not connected");
    return await session.ask(body, signal);
  }

  linkOf(gatewayId: string): GatewayLink {
    return this.#links.get(gatewayId) ?? { linkState: "down", sinceMs: null };
  }

  /** Counts the changes of links, so that whoever follows them need not compare each. */
  get linksVersion(): number {
    return this.#linksVersion;
  }

  links(): ReadonlyMap<string, GatewayLink> {
    return this.#links;
  }

  onLink(listener: LinkListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends the live session of a gateway, if there is one. */
  end(gatewayId: string, refusal: "superseded" | "cloned"): void {
    this.#byGateway.get(gatewayId)?.refuse(refusal);
  }

  close(gatewayId: string, code: "uplink.refused" | "uplink.fenced"): void {
    this.#byGateway.get(gatewayId)?.refuse(code === "uplink.refused" ? "revoked" : "fenced");
  }

  #setLink(gatewayId: string, linkState: "up" | "down"): void {
    const link: GatewayLink = { linkState, sinceMs: this.deps.clock.nowMs() };
    this.#links.set(gatewayId, link);
    this.#linksVersion++;
    this.deps.metrics.sessions.set(this.#byGateway.size);
    for (const listener of this.#listeners) listener(gatewayId, link);
  }

  #tick(): void {
    for (const session of this.#open) session.tick();
    void this.#storeReports();
    this.#ticks++;
    if (this.#ticks % REVOKED_LOOK_TICKS === 0) void this.#closeUnwelcome();
  }

  async #storeReports(): Promise<void> {
    const reports = [...this.#reports];
    this.#reports.clear();
    const at = new Date(this.deps.clock.nowMs());
    await Promise.all(
      reports.flatMap(([gatewayId, status]) => [
        this.#save("report", saveHealth(this.deps.db, gatewayId, status, at)),
        this.certificates.note(
          gatewayId,
          status.devices.flatMap(({ certificate }) => certificate ?? []),
          at,
        ),
      ]),
    );
  }

  async #closeUnwelcome(): Promise<void> {
    const listed = [...this.#byGateway].map(([gatewayId, { epoch }]) => ({ gatewayId, epoch }));
    try {
      for (const { gatewayId, moved } of await findUnwelcome(this.deps.sql, listed)) {
        if (moved) this.end(gatewayId, "superseded");
        else this.close(gatewayId, "uplink.refused");
      }
    } catch (thrown) {
      log.debug("Whose key still counts could not be looked up: {error}", { error: thrown });
    }
  }

  /** What is shown about a gateway may be lost with the database away; what it measured may not, and is not here. */
  async #save(what: string, work: Promise<void>): Promise<void> {
    await work.catch((thrown: unknown) =>
      log.debug("The {what} could not be stored: {error}", { what, error: thrown }),
    );
  }
}
