import { type ApiKeyCreate, ApiKeys, NewApiKey } from "@millrace/contract/api/api-key";
import { type InvitationCreate, InvitationLink, Invitations } from "@millrace/contract/api/invitation";
import { Page } from "@millrace/contract/api/page";
import { Person, type PersonEdit } from "@millrace/contract/api/person";
import { Role, type RoleCreate, type RoleEdit, Roles } from "@millrace/contract/api/role";
import { Ended, Sessions } from "@millrace/contract/api/session";
import { SharedDevice, type SharedDeviceCreate, SharedDevices } from "@millrace/contract/api/shared-device";
import type { HubClient } from "../../hub/client.ts";

const PersonPage = Page(Person);
const PAGE_ROWS = 50;
const at = (id: string): string => `/api/v1/people/${encodeURIComponent(id)}`;

/** The hub's people, roles, keys and shared tablets. Every method throws `HubFault` only. */
export class PeopleClient {
  readonly #hub: HubClient;

  constructor(hub: HubClient) {
    this.#hub = hub;
  }

  page(q: string, cursor: string | null) {
    const search = new URLSearchParams({ limit: String(PAGE_ROWS) });
    if (q !== "") search.set("q", q);
    if (cursor !== null) search.set("cursor", cursor);
    return this.#hub.call({ method: "GET", path: `/api/v1/people?${search}`, schema: PersonPage });
  }
  person(id: string) {
    return this.#hub.call({ method: "GET", path: at(id), schema: Person });
  }
  save({ id, revision }: Person, body: PersonEdit) {
    return this.#hub.call({ method: "PUT", path: at(id), body, ifMatch: revision, schema: Person });
  }
  remove(id: string) {
    return this.#hub.tell({ method: "DELETE", path: at(id) });
  }
  /** Keeps somebody out, or lets them in again. */
  allow(id: string, allowed: boolean) {
    const path = `${at(id)}/${allowed ? "enable" : "disable"}`;
    return this.#hub.call({ method: "POST", path, body: {}, schema: Person });
  }
  unlock(id: string) {
    return this.#hub.tell({ method: "POST", path: `${at(id)}/unlock`, body: {} });
  }
  resetLink(id: string, removeFactors: boolean) {
    const path = `${at(id)}/reset-link`;
    return this.#hub.call({ method: "POST", path, body: { removeFactors }, schema: InvitationLink });
  }
  async sessions(id: string) {
    return (await this.#hub.call({ method: "GET", path: `${at(id)}/sessions`, schema: Sessions })).items;
  }
  endSessions(id: string, sessionId: string | null) {
    const path = `${at(id)}/sessions${sessionId === null ? "" : `/${encodeURIComponent(sessionId)}`}`;
    return this.#hub.call({ method: "DELETE", path, schema: Ended });
  }

  async invitations() {
    return (await this.#hub.call({ method: "GET", path: "/api/v1/invitations", schema: Invitations })).items;
  }
  invite(body: InvitationCreate) {
    return this.#hub.call({ method: "POST", path: "/api/v1/invitations", body, schema: InvitationLink });
  }
  revokeInvitation(id: string) {
    return this.#hub.tell({ method: "DELETE", path: `/api/v1/invitations/${id}` });
  }

  async roles() {
    return (await this.#hub.call({ method: "GET", path: "/api/v1/roles", schema: Roles })).items;
  }
  createRole(body: RoleCreate) {
    return this.#hub.call({ method: "POST", path: "/api/v1/roles", body, schema: Role });
  }
  editRole({ name, revision }: Role, body: RoleEdit) {
    return this.#hub.call({
      method: "PUT",
      path: `/api/v1/roles/${name}`,
      body,
      ifMatch: revision,
      schema: Role,
    });
  }
  removeRole(name: string) {
    return this.#hub.tell({ method: "DELETE", path: `/api/v1/roles/${name}` });
  }

  async keys() {
    return (await this.#hub.call({ method: "GET", path: "/api/v1/api-keys", schema: ApiKeys })).items;
  }
  createKey(body: ApiKeyCreate) {
    return this.#hub.call({ method: "POST", path: "/api/v1/api-keys", body, schema: NewApiKey });
  }
  revokeKey(id: string) {
    return this.#hub.tell({ method: "DELETE", path: `/api/v1/api-keys/${id}` });
  }

  async tablets() {
    return (await this.#hub.call({ method: "GET", path: "/api/v1/shared-devices", schema: SharedDevices }))
      .items;
  }
  enrol(body: SharedDeviceCreate) {
    return this.#hub.call({ method: "POST", path: "/api/v1/shared-devices", body, schema: SharedDevice });
  }
  removeTablet(id: string) {
    return this.#hub.tell({ method: "DELETE", path: `/api/v1/shared-devices/${id}` });
  }
}
