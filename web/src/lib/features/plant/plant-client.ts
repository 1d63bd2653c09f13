import {
  ConfigDiff,
  type ConfigDocument,
  ConfigPlan,
  ConfigVersion,
  Draft,
  DraftHead,
  DraftPlan,
} from "@millrace/contract/api/config";
import {
  type FieldBrowseRequest,
  FieldBrowseResult,
  type FieldMatchRequest,
  FieldMatchResult,
  type FieldReadRequest,
  FieldReadResult,
  type FieldScanRequest,
  FieldScanResult,
} from "@millrace/contract/api/field";
import { Latest } from "@millrace/contract/api/history";
import { Page } from "@millrace/contract/api/page";
import {
  Device,
  type DeviceCreate,
  type DevicesEdit,
  DevicesEdited,
  Profile,
  type ProfileCreate,
  type Site,
  Site as SiteSchema,
  Tag,
} from "@millrace/contract/api/plant";
import { Rollout } from "@millrace/contract/api/rollout";
import { Type } from "@sinclair/typebox";
import type { HubClient } from "../../hub/client.ts";

const ProfilePage = Page(Profile);
const VersionPage = Page(ConfigVersion);
/** Profiles a plant has at most; a name is searched among all of them. */
const PROFILES_MAX = 1_000;
const RolloutPage = Page(Rollout);
/** The hub ends a test after 10 s; a little more for the way. */
const FIELD_MS = 15_000;
const TagPage = Page(Tag);
const LatestList = Type.Object({ items: Type.Array(Latest) });
const ROLLOUTS_SHOWN = 20;
const VERSIONS_PAGE = 50;

/** A large file takes the hub a while. */
const FILE_MS = 120_000;
const DraftPage = Page(DraftHead);

export interface FileOptions {
  dryRun: boolean;
  prune: boolean;
  comment: string;
}

const fileSearch = ({ dryRun, prune, comment }: FileOptions): string =>
  new URLSearchParams({
    dryRun: String(dryRun),
    prune: String(prune),
    ...(comment === "" ? {} : { comment }),
  }).toString();

/** The configuring part of the API, loaded with its screens. Every method throws `HubFault`. */
export class PlantClient {
  readonly #hub: HubClient;

  constructor(hub: HubClient) {
    this.#hub = hub;
  }

  async profiles(): Promise<Profile[]> {
    const path = `/api/v1/profiles?limit=${PROFILES_MAX}`;
    return (await this.#hub.call({ method: "GET", path, schema: ProfilePage })).items;
  }

  profile(id: string): Promise<Profile> {
    return this.#hub.call({
      method: "GET",
      path: `/api/v1/profiles/${encodeURIComponent(id)}`,
      schema: Profile,
    });
  }

  /** Refused with `entity.conflict` when somebody saved it meanwhile. */
  saveProfile(id: string, revision: number, body: ProfileCreate): Promise<Profile> {
    const path = `/api/v1/profiles/${encodeURIComponent(id)}`;
    return this.#hub.call({ method: "PUT", path, schema: Profile, body, ifMatch: revision });
  }

  removeProfile(id: string): Promise<void> {
    return this.#hub.tell({ method: "DELETE", path: `/api/v1/profiles/${encodeURIComponent(id)}` });
  }

  device(id: string): Promise<Device> {
    return this.#hub.call({
      method: "GET",
      path: `/api/v1/devices/${encodeURIComponent(id)}`,
      schema: Device,
    });
  }

  /** Refused with `entity.conflict` when somebody saved it meanwhile. */
  saveDevice(id: string, revision: number, body: DeviceCreate): Promise<Device> {
    const path = `/api/v1/devices/${encodeURIComponent(id)}`;
    return this.#hub.call({ method: "PUT", path, schema: Device, body, ifMatch: revision });
  }

  /** All or none. Refused with `entity.conflict` when somebody saved one of them meanwhile. */
  async editDevices(devices: readonly Device[], change: DevicesEdit["change"]): Promise<void> {
    const body: DevicesEdit = { devices: devices.map(({ id, revision }) => ({ id, revision })), change };
    await this.#hub.call({ method: "POST", path: "/api/v1/devices/edit", schema: DevicesEdited, body });
  }

  removeDevice(id: string): Promise<void> {
    return this.#hub.tell({ method: "DELETE", path: `/api/v1/devices/${encodeURIComponent(id)}` });
  }

  addSite(body: { name: string; kind: Site["kind"]; parentId: string | null }): Promise<Site> {
    return this.#hub.call({ method: "POST", path: "/api/v1/sites", schema: SiteSchema, body });
  }

  /** Refused while anything lies in it. */
  removeSite(id: string): Promise<void> {
    return this.#hub.tell({ method: "DELETE", path: `/api/v1/sites/${encodeURIComponent(id)}` });
  }

  addProfile(body: ProfileCreate): Promise<Profile> {
    return this.#hub.call({ method: "POST", path: "/api/v1/profiles", schema: Profile, body });
  }

  /** The present version of the configuration; 0 before the first. */
  async version(): Promise<number> {
    const path = "/api/v1/config/versions?limit=1";
    return (await this.#hub.call({ method: "GET", path, schema: VersionPage })).items[0]?.version ?? 0;
  }

  /** Makes the plant what a part of the document says. Refused when it is another version by now. */
  publish(document: ConfigDocument, basedOn: number, comment: string): Promise<ConfigPlan> {
    const path = `/api/v1/config?comment=${encodeURIComponent(comment)}`;
    return this.#hub.call({ method: "PUT", path, schema: ConfigPlan, body: document, ifMatch: basedOn });
  }

  async versions(cursor: string | null): Promise<{ items: ConfigVersion[]; nextCursor: string | null }> {
    const after = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const path = `/api/v1/config/versions?limit=${VERSIONS_PAGE}${after}`;
    return await this.#hub.call({ method: "GET", path, schema: VersionPage });
  }

  diff(from: number, to: number): Promise<ConfigDiff> {
    return this.#hub.call({
      method: "GET",
      path: `/api/v1/config/diff?from=${from}&to=${to}`,
      schema: ConfigDiff,
    });
  }

  /** The whole document from a file. */
  applyFile(file: Blob, options: FileOptions): Promise<ConfigPlan> {
    const path = `/api/v1/config?${fileSearch(options)}`;
    return this.#hub.call({ method: "PUT", path, schema: ConfigPlan, file, timeoutMs: FILE_MS });
  }

  /** A list of tags or devices from a file; `profile` says where tags go that do not say it themselves. */
  importFile(file: Blob, options: FileOptions & { profile: string }): Promise<ConfigPlan> {
    const profile = options.profile === "" ? "" : `&profile=${encodeURIComponent(options.profile)}`;
    const path = `/api/v1/config/import?${fileSearch(options)}${profile}`;
    return this.#hub.call({ method: "POST", path, schema: ConfigPlan, file, timeoutMs: FILE_MS });
  }

  async drafts(): Promise<DraftHead[]> {
    return (await this.#hub.call({ method: "GET", path: "/api/v1/drafts", schema: DraftPage })).items;
  }

  keepDraft(name: string, document: ConfigDocument): Promise<Draft> {
    const body = { name, document };
    return this.#hub.call({ method: "POST", path: "/api/v1/drafts", schema: Draft, body });
  }

  draft(id: string): Promise<Draft> {
    return this.#hub.call({ method: "GET", path: `/api/v1/drafts/${encodeURIComponent(id)}`, schema: Draft });
  }

  /** Refused with `entity.conflict` when somebody saved it meanwhile. */
  saveDraft(id: string, revision: number, name: string, document: ConfigDocument): Promise<Draft> {
    const path = `/api/v1/drafts/${encodeURIComponent(id)}`;
    return this.#hub.call({
      method: "PUT",
      path,
      schema: Draft,
      body: { name, document },
      ifMatch: revision,
    });
  }

  planDraft(id: string): Promise<DraftPlan> {
    const path = `/api/v1/drafts/${encodeURIComponent(id)}/plan`;
    return this.#hub.call({ method: "GET", path, schema: DraftPlan });
  }

  /** Refused while others changed the same, unless that is to be replaced. */
  publishDraft(id: string, overwrite: boolean): Promise<ConfigPlan> {
    const path = `/api/v1/drafts/${encodeURIComponent(id)}/publish`;
    return this.#hub.call({ method: "POST", path, schema: ConfigPlan, body: { overwrite } });
  }

  removeDraft(id: string): Promise<void> {
    return this.#hub.tell({ method: "DELETE", path: `/api/v1/drafts/${encodeURIComponent(id)}` });
  }

  async rollouts(): Promise<Rollout[]> {
    const path = `/api/v1/rollouts?limit=${ROLLOUTS_SHOWN}`;
    return (await this.#hub.call({ method: "GET", path, schema: RolloutPage })).items;
  }

  /** Publishes a part of the document stage by stage. Refused when it is another version by now. */
  startRollout(document: ConfigDocument, basedOn: number, comment: string): Promise<Rollout> {
    const body = { document, comment };
    return this.#hub.call({
      method: "POST",
      path: "/api/v1/rollouts",
      schema: Rollout,
      body,
      ifMatch: basedOn,
    });
  }

  stopRollout(id: string): Promise<Rollout> {
    const path = `/api/v1/rollouts/${encodeURIComponent(id)}/stop`;
    return this.#hub.call({ method: "POST", path, schema: Rollout, body: {} });
  }

  /** Reads tags once on the live device, with settings that need not be published. */
  fieldRead(gatewayId: string, body: FieldReadRequest): Promise<FieldReadResult> {
    const path = `/api/v1/gateways/${encodeURIComponent(gatewayId)}/field/read`;
    return this.#hub.call({ method: "POST", path, schema: FieldReadResult, body, timeoutMs: FIELD_MS });
  }

  /** Which addresses of a private network answer a driver. */
  fieldScan(gatewayId: string, body: FieldScanRequest): Promise<FieldScanResult> {
    const path = `/api/v1/gateways/${encodeURIComponent(gatewayId)}/field/scan`;
    return this.#hub.call({ method: "POST", path, schema: FieldScanResult, body, timeoutMs: FIELD_MS });
  }

  /** A page of what lies below one place of a device. */
  fieldBrowse(gatewayId: string, body: FieldBrowseRequest): Promise<FieldBrowseResult> {
    const path = `/api/v1/gateways/${encodeURIComponent(gatewayId)}/field/browse`;
    return this.#hub.call({ method: "POST", path, schema: FieldBrowseResult, body, timeoutMs: FIELD_MS });
  }

  /** Where a displayed number lies on the live device. */
  fieldMatch(gatewayId: string, body: FieldMatchRequest): Promise<FieldMatchResult> {
    const path = `/api/v1/gateways/${encodeURIComponent(gatewayId)}/field/match`;
    return this.#hub.call({ method: "POST", path, schema: FieldMatchResult, body, timeoutMs: FIELD_MS });
  }

  /** A device's tags with their newest values. */
  async latestOf(deviceId: string): Promise<{ tags: Tag[]; latest: Latest[] }> {
    const path = (noun: string) => `/api/v1/${noun}?deviceId=${encodeURIComponent(deviceId)}`;
    const tags = await this.#hub.call({ method: "GET", path: `${path("tags")}&limit=1000`, schema: TagPage });
    const latest = await this.#hub.call({ method: "GET", path: path("latest"), schema: LatestList });
    return { tags: tags.items, latest: latest.items };
  }

  /** What going back would do, or, unless it is a dry run, does. */
  rollBack(to: number, dryRun: boolean, basedOn: number): Promise<ConfigPlan> {
    const path = `/api/v1/config/rollback${dryRun ? "?dryRun=true" : ""}`;
    return this.#hub.call({ method: "POST", path, schema: ConfigPlan, body: { to }, ifMatch: basedOn });
  }
}
