import { GatewayCommand, type LogLevelRequest, type RestartRequest } from "@millrace/contract/api/command";
import { EventRow } from "@millrace/contract/api/event";
import { Gateway } from "@millrace/contract/api/gateway";
import { GatewayHealth } from "@millrace/contract/api/gateway-health";
import {
  type CertificateDecision,
  MachineCertificate,
  MachineCertificates,
} from "@millrace/contract/api/machine-certificate";
import { Page } from "@millrace/contract/api/page";
import { GatewaySparkplug, type GatewaySparkplugPut } from "@millrace/contract/api/sparkplug";
import { SupportBundle } from "@millrace/contract/api/support-bundle";
import type { HubClient } from "../../hub/client.ts";

const EventPage = Page(EventRow);
/** A bundle reads a few thousand rows. */
const BUNDLE_TIMEOUT_MS = 60_000;
/** Outcomes told lately, among which the one that is asked about is searched. */
const OUTCOMES_READ = 20;

/** What can be seen of one gateway and asked of it, loaded with its page. Every method throws `HubFault`. */
export class FleetClient {
  readonly #hub: Pick<HubClient, "call">;
  readonly #gatewayId: string;

  constructor(hub: Pick<HubClient, "call">, gatewayId: string) {
    this.#hub = hub;
    this.#gatewayId = gatewayId;
  }

  health(): Promise<GatewayHealth> {
    return this.#hub.call({ method: "GET", path: this.#path("health"), schema: GatewayHealth });
  }

  gateway(): Promise<Gateway> {
    return this.#hub.call({ method: "GET", path: this.#path(), schema: Gateway });
  }

  /** Refused with `entity.conflict` when somebody saved other labels meanwhile. */
  setLabels(revision: number, labels: readonly string[]): Promise<Gateway> {
    const path = this.#path("labels");
    return this.#hub.call({ method: "PUT", path, schema: Gateway, body: { labels }, ifMatch: revision });
  }

  sparkplug(): Promise<GatewaySparkplug> {
    return this.#hub.call({ method: "GET", path: this.#path("sparkplug"), schema: GatewaySparkplug });
  }

  /** Refused with `entity.conflict` when somebody else changed the gateway meanwhile. */
  setSparkplug(revision: number, settings: GatewaySparkplugPut["settings"]): Promise<GatewaySparkplug> {
    const path = this.#path("sparkplug");
    const body = { settings };
    return this.#hub.call({ method: "PUT", path, schema: GatewaySparkplug, body, ifMatch: revision });
  }

  /** From now on its key is not taken, and a session of it ends at once. */
  revoke(): Promise<Gateway> {
    return this.#hub.call({ method: "POST", path: this.#path("revoke"), schema: Gateway, body: {} });
  }

  certificates(): Promise<MachineCertificates> {
    return this.#hub.call({ method: "GET", path: this.#path("certificates"), schema: MachineCertificates });
  }

  /** Its devices trust it from now on, or none of them does any more. */
  decideCertificate(id: string, decision: CertificateDecision["decision"]): Promise<MachineCertificate> {
    const path = `${this.#path("certificates")}/${encodeURIComponent(id)}/decision`;
    return this.#hub.call({ method: "POST", path, schema: MachineCertificate, body: { decision } });
  }

  restart(body: RestartRequest): Promise<GatewayCommand> {
    return this.#hub.call({ method: "POST", path: this.#path("restart"), schema: GatewayCommand, body });
  }

  setLogLevel(body: LogLevelRequest): Promise<GatewayCommand> {
    return this.#hub.call({ method: "POST", path: this.#path("log-level"), schema: GatewayCommand, body });
  }

  command(id: string): Promise<GatewayCommand> {
    const path = `/api/v1/commands/${encodeURIComponent(id)}`;
    return this.#hub.call({ method: "GET", path, schema: GatewayCommand });
  }

  /** The gateway's own sentence about what became of a command; empty when it told none. */
  async reasonOf(commandId: string): Promise<string> {
    const search = new URLSearchParams({
      gateway: this.#gatewayId,
      code: "command.done",
      limit: String(OUTCOMES_READ),
    });
    const path = `/api/v1/events?${search}`;
    const { items } = await this.#hub.call({ method: "GET", path, schema: EventPage });
    return items.find(({ data }) => data.commandId === commandId)?.message ?? "";
  }

  bundle(): Promise<SupportBundle> {
    return this.#hub.call({
      method: "GET",
      path: this.#path("support-bundle"),
      schema: SupportBundle,
      timeoutMs: BUNDLE_TIMEOUT_MS,
    });
  }

  #path(part = ""): string {
    const path = `/api/v1/gateways/${encodeURIComponent(this.#gatewayId)}`;
    return part === "" ? path : `${path}/${part}`;
  }
}
