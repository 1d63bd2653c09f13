import { Completeness } from "@millrace/contract/api/completeness";
import { Claim } from "@millrace/contract/api/enrolment";
import { EventRow } from "@millrace/contract/api/event";
import { GapRow } from "@millrace/contract/api/gap";
import { Gateway, type GatewayCreate } from "@millrace/contract/api/gateway";
import { Page } from "@millrace/contract/api/page";
import { Me, type SetupRequest, SetupState } from "@millrace/contract/api/person";
import { Device, Site, Tag } from "@millrace/contract/api/plant";
import type { Clock } from "@millrace/contract/std/clock";
import type { Static, TSchema } from "@sinclair/typebox";
import { Errors } from "@sinclair/typebox/errors";
import { Check } from "@sinclair/typebox/value";
import { faultOf, HubFault } from "../error/fault.ts";

const ME = "/api/v1/me";
const REQUEST_TIMEOUT_MS = 10_000;
/** Lists of sites, devices and gateways are read whole; this bounds a hub that never ends its pages. */
const PAGES_MAX = 50;

const SitePage = Page(Site);
const DevicePage = Page(Device);
const GatewayPage = Page(Gateway);
const TagPage = Page(Tag);
const EventPage = Page(EventRow);
const GapPage = Page(GapRow);
export type TagPage = Static<typeof TagPage>;

export interface TagQuery {
  q: string;
  deviceId: string;
  gatewayId: string;
  cursor: string | null;
  limit: number;
}

/** Days of the calendar that lies `offsetMinutes` ahead of UTC, both included. */
export interface CompletenessQuery {
  gatewayId: string;
  from: string;
  to: string;
  offsetMinutes: number;
}

type Method = "GET" | "POST" | "PUT" | "DELETE";
export interface HubRequest {
  method: Method;
  path: string;
  body?: unknown;
  /** Sent as it is, under its own type, instead of a body. */
  file?: Blob;
  /** Revision the change was made on; the hub refuses when there is a newer one. */
  ifMatch?: number;
  signal?: AbortSignal;
  /** For what takes the hub longer than everything else. */
  timeoutMs?: number;
}

/** What the hub refused with, for want of somebody who shows who they are. */
export type WhyShown = "auth.fresh" | "write.proof";

type Fetch = (input: string, init: RequestInit) => Promise<Response>;

/**
 * The hub's REST API as typed calls. Every answer is checked against the contract (interpreted: a strict CSP allows
 * no compiled checks), so a screen never works on data of an unknown shape. Every method throws `HubFault` only.
 */
export class HubClient {
  readonly #fetch: Fetch;
  readonly #clock: Clock;
  readonly #showWho: (why: WhyShown) => Promise<boolean>;
  readonly #onTurnedAway: () => void;

  /**
   * @param deps.showWho asks whether it is still the same person; a request that needs that waits, and goes on after a yes
   * @param deps.onTurnedAway the session ended, or must first get a second factor
   */
  constructor(deps: {
    fetch: Fetch;
    clock: Clock;
    showWho(why: WhyShown): Promise<boolean>;
    onTurnedAway(): void;
  }) {
    this.#fetch = deps.fetch;
    this.#clock = deps.clock;
    this.#showWho = deps.showWho;
    this.#onTurnedAway = deps.onTurnedAway;
  }

  setupState(): Promise<SetupState> {
    return this.#read(SetupState, "/api/v1/setup");
  }

  async setUp(request: SetupRequest): Promise<void> {
    await this.#send("POST", "/api/v1/setup", request);
  }

  me(): Promise<Me> {
    return this.#read(Me, ME);
  }

  sites(): Promise<Site[]> {
    return this.#all(SitePage, "/api/v1/sites");
  }

  devices(): Promise<Device[]> {
    return this.#all(DevicePage, "/api/v1/devices");
  }

  gateways(): Promise<Gateway[]> {
    return this.#all(GatewayPage, "/api/v1/gateways");
  }

  addGateway(gateway: GatewayCreate): Promise<Gateway> {
    return this.#write(Gateway, "/api/v1/gateways", gateway);
  }

  /** A person decided: the identity is trusted again, or this hub's configuration is sent. */
  settleGateway(gatewayId: string, how: "trust" | "configuration/confirm"): Promise<Gateway> {
    return this.#write(Gateway, `/api/v1/gateways/${encodeURIComponent(gatewayId)}/${how}`, {});
  }

  claimGateway(gatewayId: string): Promise<Claim> {
    return this.#write(Claim, `/api/v1/gateways/${encodeURIComponent(gatewayId)}/claims`, {});
  }

  tags(query: TagQuery): Promise<TagPage> {
    const search = new URLSearchParams({ limit: String(query.limit) });
    if (query.q !== "") search.set("q", query.q);
    if (query.deviceId !== "") search.set("deviceId", query.deviceId);
    if (query.gatewayId !== "") search.set("gatewayId", query.gatewayId);
    if (query.cursor !== null) search.set("cursor", query.cursor);
    return this.#read(TagPage, `/api/v1/tags?${search}`);
  }

  tag(tagNo: number): Promise<Tag> {
    return this.#read(Tag, `/api/v1/tags/${tagNo}`);
  }

  completeness(query: CompletenessQuery): Promise<Completeness> {
    const search = new URLSearchParams({
      gateway: query.gatewayId,
      from: query.from,
      to: query.to,
      offsetMinutes: String(query.offsetMinutes),
    });
    return this.#read(Completeness, `/api/v1/completeness?${search}`);
  }

  /** What a gateway told about itself, newest first. */
  async events(gatewayId: string, limit: number): Promise<EventRow[]> {
    const search = new URLSearchParams({ gateway: gatewayId, limit: String(limit) });
    return (await this.#read(EventPage, `/api/v1/events?${search}`)).items;
  }

  /** Stretches known to be missing or thinned, the latest first. */
  async gaps(gatewayId: string, limit: number): Promise<GapRow[]> {
    const search = new URLSearchParams({ gateway: gatewayId, limit: String(limit) });
    return (await this.#read(GapPage, `/api/v1/gaps?${search}`)).items;
  }

  async #all<T>(
    schema: TSchema & { static: { items: T[]; nextCursor: string | null } },
    path: string,
  ): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < PAGES_MAX; page++) {
      const search: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const body: { items: T[]; nextCursor: string | null } = await this.#read(
        schema,
        `${path}?limit=1000${search}`,
      );
      items.push(...body.items);
      cursor = body.nextCursor;
      if (cursor === null) break;
    }
    return items;
  }

  #read<S extends TSchema>(schema: S, path: string): Promise<Static<S>> {
    return this.call({ method: "GET", path, schema });
  }

  #write<S extends TSchema>(schema: S, path: string, body: unknown): Promise<Static<S>> {
    return this.call({ method: "POST", path, schema, body });
  }

  async #send(method: Method, path: string, body?: unknown): Promise<unknown> {
    return this.#ask({ method, path, body });
  }

  /** One request of a part of the app that is loaded later and brings its own schemas. @throws HubFault */
  async call<S extends TSchema>(request: HubRequest & { schema: S }): Promise<Static<S>> {
    return decode(request.schema, await this.#ask(request), request.path);
  }

  /** The same, where the answer says nothing. @throws HubFault */
  async tell(request: HubRequest): Promise<void> {
    await this.#ask(request);
  }

  async #ask(request: HubRequest): Promise<unknown> {
    try {
      return await this.#askOnce(request);
    } catch (thrown) {
      const code = thrown instanceof HubFault ? thrown.code : null;
      if ((code === "auth.required" && request.path !== ME) || code === "auth.mustEnrol")
        this.#onTurnedAway();
      const asksWho = code === "auth.fresh" || code === "write.proof";
      if (!asksWho || !(await this.#showWho(code))) throw thrown;
      return await this.#askOnce(request);
    }
  }

  async #askOnce({
    method,
    path,
    body,
    file,
    ifMatch,
    signal,
    timeoutMs = REQUEST_TIMEOUT_MS,
  }: HubRequest): Promise<unknown> {
    const aborter = new AbortController();
    const cancel = this.#clock.after(timeoutMs, () => aborter.abort());
    const stop = () => aborter.abort();
    if (signal?.aborted === true) stop();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      const headers: Record<string, string> = { accept: "application/json" };
      if (body !== undefined) headers["content-type"] = "application/json";
      if (file !== undefined) headers["content-type"] = file.type;
      if (ifMatch !== undefined) headers["if-match"] = `"${ifMatch}"`;
      const response = await this.#fetch(path, {
        method,
        headers,
        credentials: "same-origin",
        cache: "no-store",
        signal: aborter.signal,
        body: file ?? (body === undefined ? null : JSON.stringify(body)),
      });
      const answer = parse(await response.text());
      if (!response.ok) throw faultOf(response.status, answer);
      return answer;
    } catch (thrown) {
      if (thrown instanceof HubFault) throw thrown;
      const text = aborter.signal.aborted
        ? `The hub did not answer within ${timeoutMs / 1_000} s.`
        : "The hub did not answer.";
      throw new HubFault("web.unreachable", text, "", { cause: thrown });
    } finally {
      signal?.removeEventListener("abort", stop);
      cancel();
    }
  }
}

/** Body as JSON; undefined when it is not JSON, which no schema accepts. */
function parse(text: string): unknown {
  try {
    return text === "" ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

function decode<S extends TSchema>(schema: S, body: unknown, path: string): Static<S> {
  if (Check(schema, body)) return body;
  const first = Errors(schema, body).First();
  const where = first === undefined || first.path === "" ? "the answer" : first.path;
  throw new HubFault(
    "web.answerUnexpected",
    `${path.split("?")[0]}: ${where} is not as agreed (${first?.message ?? "unknown"}).`,
  );
}
