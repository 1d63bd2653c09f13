/** Every view of the app, with what its address holds. The address is the only place this is kept. */
export type Route =
  | { view: "setup" }
  /** `refused`: the browser comes back from a single sign-on that did not let it in. */
  | { view: "signIn"; refused: boolean }
  /** Their tokens stand behind the #, which is no part of a route. */
  | { view: "invitation" }
  | { view: "kiosk" }
  | { view: "account" }
  | { view: "overview" }
  /** `label`: labels with commas between; the list is narrowed to gateways that have all of them. */
  | { view: "gateways"; label: string }
  | { view: "gateway"; gatewayId: string; label: string }
  | { view: "tags"; filter: TagFilter }
  | { view: "tag"; tagNo: number; filter: TagFilter }
  /** `search` holds the state of the chart; only the trends screen, which is loaded later, reads it. */
  | { view: "trends"; viewId: string | null; search: string }
  | { view: "more" }
  | { view: "namespace" }
  | { view: "security" }
  /** `search` holds the filters; only the audit, which is loaded later, reads it. */
  | { view: "audit"; search: string }
  /** The same, of the gateways' logs. */
  | { view: "logs"; search: string }
  /** `id`: the device or profile that is open; of a new device, the one it is to be like. */
  | { view: "plant"; part: PlantPart; id: string | null }
  /** `id`: the person who is open. */
  | { view: "people"; part: PeoplePart; id: string | null }
  | { view: "unknown"; path: string };

export type PeoplePart = "people" | "invite" | "roles" | "keys" | "tablets";

export type PlantPart =
  | "devices"
  | "newDevice"
  | "profiles"
  | "versions"
  | "rollouts"
  | "drafts"
  | "files"
  | "places";

export interface TagFilter {
  q: string;
  deviceId: string;
  gatewayId: string;
}

export const NO_FILTER: TagFilter = { q: "", deviceId: "", gatewayId: "" };

function filterOf(search: URLSearchParams): TagFilter {
  return {
    q: (search.get("q") ?? "").slice(0, 200),
    deviceId: search.get("device") ?? "",
    gatewayId: search.get("gateway") ?? "",
  };
}

const labelOf = (search: URLSearchParams): string => (search.get("label") ?? "").slice(0, 400);
const labelText = (label: string): string => (label === "" ? "" : `?${new URLSearchParams({ label })}`);

/** As written, not as a form would escape it: a link to a trend stays readable. */
const trendSearch = (search: URLSearchParams): string =>
  [...search].map(([name, value]) => `${name}=${value}`).join("&");

/** Address → view. Never throws: an address we do not know is a view of its own. */
export function parseRoute(pathname: string, search: URLSearchParams): Route {
  const parts = pathname.split("/").filter((part) => part !== "");
  const [first, second] = parts;
  if (parts.length === 0) return { view: "overview" };
  if (parts.length === 1) {
    if (first === "setup" || first === "invitation" || first === "kiosk" || first === "account")
      return { view: first };
    if (first === "sign-in") return { view: "signIn", refused: search.get("sso") === "refused" };
    if (first === "gateways") return { view: "gateways", label: labelOf(search) };
    if (first === "tags") return { view: "tags", filter: filterOf(search) };
    if (first === "more" || first === "security" || first === "namespace") return { view: first };
    if (first === "audit" || first === "logs") return { view: first, search: search.toString() };
    if (first === "trends") return { view: "trends", viewId: null, search: trendSearch(search) };
  }
  if (first === "people" && parts.length <= 2) return peopleRoute(second);
  if (first === "plant") return plantRoute(parts, search) ?? { view: "unknown", path: pathname };
  if (parts.length === 2 && first === "trends") {
    return { view: "trends", viewId: second!, search: trendSearch(search) };
  }
  if (parts.length === 2 && first === "gateways") {
    return { view: "gateway", gatewayId: second!, label: labelOf(search) };
  }
  if (parts.length === 2 && first === "tags" && /^[1-9]\d{0,9}$/.test(second!)) {
    return { view: "tag", tagNo: Number(second), filter: filterOf(search) };
  }
  return { view: "unknown", path: pathname };
}

const PEOPLE_PARTS = ["invite", "roles", "keys", "tablets"] as const;

function peopleRoute(second: string | undefined): Route {
  const part = PEOPLE_PARTS.find((one) => one === second);
  return { view: "people", part: part ?? "people", id: part === undefined ? (second ?? null) : null };
}

function peoplePath(part: PeoplePart, id: string | null): string {
  if (part !== "people") return `/people/${part}`;
  return id === null ? "/people" : `/people/${id}`;
}

const PLAIN_PARTS = ["versions", "rollouts", "drafts", "files", "places"] as const;

function plantRoute([, part, id, ...rest]: readonly string[], search: URLSearchParams): Route | null {
  if (rest.length > 0) return null;
  if (part === undefined) return { view: "plant", part: "devices", id: null };
  const plain = PLAIN_PARTS.find((one) => one === part);
  if (plain !== undefined && id === undefined) return { view: "plant", part: plain, id: null };
  if (part === "profiles") return { view: "plant", part: "profiles", id: id ?? null };
  if (part !== "devices" || id === undefined) return null;
  if (id === "new") return { view: "plant", part: "newDevice", id: search.get("like") };
  return { view: "plant", part: "devices", id };
}

function plantPath(part: PlantPart, id: string | null): string {
  if (part === "newDevice") return id === null ? "/plant/devices/new" : `/plant/devices/new?like=${id}`;
  if (id !== null) return `/plant/${part}/${id}`;
  return part === "devices" ? "/plant" : `/plant/${part}`;
}

function filterText(filter: TagFilter): string {
  const search = new URLSearchParams();
  if (filter.q !== "") search.set("q", filter.q);
  if (filter.deviceId !== "") search.set("device", filter.deviceId);
  if (filter.gatewayId !== "") search.set("gateway", filter.gatewayId);
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}

/** View → address; `parseRoute` reads it back to the same view. */
export function formatRoute(route: Route): string {
  switch (route.view) {
    case "overview":
      return "/";
    case "gateways":
      return `/gateways${labelText(route.label)}`;
    case "gateway":
      return `/gateways/${route.gatewayId}${labelText(route.label)}`;
    case "tags":
      return `/tags${filterText(route.filter)}`;
    case "tag":
      return `/tags/${route.tagNo}${filterText(route.filter)}`;
    case "trends": {
      const path = route.viewId === null ? "/trends" : `/trends/${route.viewId}`;
      return route.search === "" ? path : `${path}?${route.search}`;
    }
    case "audit":
    case "logs":
      return route.search === "" ? `/${route.view}` : `/${route.view}?${route.search}`;
    case "plant":
      return plantPath(route.part, route.id);
    case "people":
      return peoplePath(route.part, route.id);
    case "unknown":
      return route.path;
    case "signIn":
      return route.refused ? "/sign-in?sso=refused" : "/sign-in";
    default:
      return `/${route.view}`;
  }
}

/** Paths the hub serves itself; the browser must load them, the router must not take them. */
export const isHubPath = (pathname: string): boolean =>
  /^\/(api|docs|livez|readyz|metrics)(\/|$)/.test(pathname);
