import type { Me } from "@millrace/contract/api/person";
import type { Permission } from "@millrace/contract/api/role";
import type { PeoplePart, PlantPart, Route } from "../router/route.ts";
import { may } from "./may.ts";

/** What a screen takes. The same as the hub asks of the first request the screen makes. */
export interface Need {
  permission: Permission;
  where: "anywhere" | "whole";
}
const anywhere = (permission: Permission): Need => ({ permission, where: "anywhere" });
const whole = (permission: Permission): Need => ({ permission, where: "whole" });

export const PLANT_NEEDS: Record<PlantPart, Need> = {
  devices: anywhere("plant.read"),
  newDevice: anywhere("plant.edit"),
  profiles: anywhere("plant.read"),
  places: anywhere("plant.read"),
  files: whole("plant.edit"),
  drafts: whole("plant.read"),
  rollouts: whole("plant.read"),
  versions: whole("plant.read"),
};

export const PEOPLE_NEEDS: Record<PeoplePart, Need> = {
  people: anywhere("person.read"),
  invite: anywhere("person.edit"),
  roles: anywhere("person.read"),
  keys: anywhere("person.read"),
  tablets: anywhere("gateway.read"),
};

/** Every screen by itself; a text says why it takes nothing. */
export const VIEW_NEEDS: Record<Exclude<Route["view"], "plant" | "people">, Need | string> = {
  overview: anywhere("plant.read"),
  gateways: anywhere("gateway.read"),
  gateway: anywhere("gateway.read"),
  tags: anywhere("plant.read"),
  tag: anywhere("plant.read"),
  trends: anywhere("sample.read"),
  namespace: anywhere("plant.read"),
  logs: anywhere("gateway.read"),
  audit: whole("audit.read"),
  security: whole("system.read"),
  more: "lists what one may open, and this device's own settings",
  account: "is about oneself",
  setup: "takes the set-up token",
  signIn: "is where one comes in",
  invitation: "takes the token of the link",
  kiosk: "takes the token of the link",
  unknown: "shows nothing",
};

/** What a screen on a wall shows; at any other address it stays where it is. */
const ON_A_WALL: ReadonlySet<Route["view"]> = new Set([
  "overview",
  "gateways",
  "gateway",
  "tags",
  "tag",
  "trends",
]);
export const isOnWall = ({ view }: Route): boolean => ON_A_WALL.has(view);

export function needOf(route: Route): Need | null {
  if (route.view === "plant") return PLANT_NEEDS[route.part];
  if (route.view === "people") return PEOPLE_NEEDS[route.part];
  const need = VIEW_NEEDS[route.view];
  return typeof need === "string" ? null : need;
}

/** What somebody lacks to open a screen; null when they may. */
export function lackedFor(me: Pick<Me, "reach">, route: Route): Need | null {
  const need = needOf(route);
  return need === null || may(me, need.permission, need.where) ? null : need;
}
