import { type Static, Type } from "@sinclair/typebox";
import { EntityId } from "../vocabulary/id.ts";

/** What each permission lets somebody do. The closed list: every route names one of these, and roles are sets of them. */
export const PERMISSIONS = {
  "plant.read": "See places, devices, profiles and tags",
  "plant.edit": "Change places, devices, profiles and tags, and publish them",
  "gateway.read": "See gateways, their health, logs and events",
  "gateway.edit": "Add, claim, restart and shut out gateways",
  "field.use": "Try connections and read tags at a device before anything is published",
  "sample.read": "See live values, trends and history",
  "sample.import": "Bring history from elsewhere",
  "tag.write": "Write values to machines",
  "trend.edit": "Save trend views and write notes",
  "system.read": "See how the hub itself is doing",
  "system.edit": "Change how long history is kept and other settings of the hub",
  "person.read": "See people, their roles, keys and sessions",
  "person.edit": "Invite people, give and take roles, make and revoke keys",
  "audit.read": "Read and export the audit",
} as const;

export type Permission = keyof typeof PERMISSIONS;
/** The closed list, in its order. */
export const PERMISSION_NAMES = Object.keys(PERMISSIONS) as Permission[];
export const Permission = Type.Unsafe<Permission>(
  Type.Union(PERMISSION_NAMES.map((name) => Type.Literal(name))),
);

const viewer: readonly Permission[] = ["plant.read", "gateway.read", "sample.read"];
const operator: readonly Permission[] = [...viewer, "trend.edit", "tag.write"];
const technician: readonly Permission[] = [...operator, "gateway.edit", "field.use"];
const engineer: readonly Permission[] = [...technician, "plant.edit", "sample.import"];

/** The roles every hub has; their names cannot be taken by roles of one's own, and they cannot be changed. */
export const BUILT_IN_ROLES: Readonly<Record<string, readonly Permission[]>> = {
  viewer,
  operator,
  technician,
  engineer,
  administrator: PERMISSION_NAMES,
  auditor: [...viewer, "system.read", "person.read", "audit.read"],
};

export const RoleName = Type.String({
  pattern: "^[a-z][a-z0-9-]{1,39}$",
  description: "Small letters, digits and hyphens, 2 to 40 characters",
  examples: ["operator", "night-shift"],
});

/** A role given at a place: it holds for that place and everything below it, or, with null, for the whole plant. */
export const Grant = Type.Object({
  role: RoleName,
  siteId: Type.Union([EntityId, Type.Null()]),
});
export type Grant = Static<typeof Grant>;

/** A grant as it is shown: with the path of its place. */
export const ShownGrant = Type.Object({
  role: RoleName,
  siteId: Type.Union([EntityId, Type.Null()]),
  path: Type.Union([Type.String(), Type.Null()]),
});
export type ShownGrant = Static<typeof ShownGrant>;

/** Where somebody may do something: everywhere, or below these places. */
export const Reach = Type.Union([Type.Literal("whole"), Type.Array(Type.String())]);
export type Reach = Static<typeof Reach>;

const RoleText = Type.String({ maxLength: 200 });
const PermissionSet = Type.Array(Permission, { uniqueItems: true, maxItems: PERMISSION_NAMES.length });

/** A role as it is shown: built in, or a plant's own. */
export const Role = Type.Object({
  name: RoleName,
  description: Type.String(),
  permissions: Type.Array(Permission),
  builtIn: Type.Boolean(),
  /** People, keys and open invitations that have it. */
  holders: Type.Integer({ minimum: 0 }),
  /** For If-Match; 0 for a built-in one. */
  revision: Type.Integer({ minimum: 0 }),
});
export type Role = Static<typeof Role>;
export const Roles = Type.Object({ items: Type.Array(Role) });

/** `POST /api/v1/roles` */
export const RoleCreate = Type.Object({ name: RoleName, description: RoleText, permissions: PermissionSet });
export type RoleCreate = Static<typeof RoleCreate>;
/** `PUT /api/v1/roles/:name` with If-Match */
export const RoleEdit = Type.Object({ description: RoleText, permissions: PermissionSet });
export type RoleEdit = Static<typeof RoleEdit>;

/** What the built-in roles are for. */
export const BUILT_IN_TEXT: Readonly<Record<string, string>> = {
  viewer: "Looks and changes nothing",
  operator: "Runs the machines: writes values and notes",
  technician: "Installs and repairs: gateways and tools at the device",
  engineer: "Configures: places, devices, profiles and tags",
  administrator: "May do everything",
  auditor: "Looks at everything, the audit too, and changes nothing",
};
