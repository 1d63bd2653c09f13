import { type Static, Type } from "@sinclair/typebox";
import { Instant } from "./page.ts";
import { Grants } from "./person.ts";
import { type Permission, ShownGrant } from "./role.ts";

/** `apiKey` for programs, in the Authorization header; `kiosk` for a screen on a wall, opened by a link, read-only. */
export const ApiKeyKind = Type.Union([Type.Literal("apiKey"), Type.Literal("kiosk")]);
export type ApiKeyKind = Static<typeof ApiKeyKind>;

/** All a kiosk may ever do, whatever its roles say. */
export const KIOSK_PERMISSIONS: readonly Permission[] = ["plant.read", "gateway.read", "sample.read"];

export const API_KEY_DAYS_MAX = 366;

/** `POST /api/v1/api-keys` */
export const ApiKeyCreate = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 100 }),
  kind: ApiKeyKind,
  grants: Type.Array(Grants.items, { minItems: 1, maxItems: Grants.maxItems! }),
  /** At most a year ahead. */
  expiresAt: Type.Optional(Instant),
});
export type ApiKeyCreate = Static<typeof ApiKeyCreate>;

export const ApiKey = Type.Object({
  id: Type.String(),
  name: Type.String(),
  kind: ApiKeyKind,
  grants: Type.Array(ShownGrant),
  /** Name of who made it; null for one from the hub's settings, or when they are gone. */
  by: Type.Union([Type.String(), Type.Null()]),
  createdAt: Instant,
  /** Null: it does not end by itself. */
  expiresAt: Type.Union([Instant, Type.Null()]),
  /** Coarse: written at most once a minute. */
  lastUsedAt: Type.Union([Instant, Type.Null()]),
  revokedAt: Type.Union([Instant, Type.Null()]),
});
export type ApiKey = Static<typeof ApiKey>;
/** `GET /api/v1/api-keys`, the newest first. `DELETE /api/v1/api-keys/:id` revokes one. */
export const ApiKeys = Type.Object({ items: Type.Array(ApiKey) });

/** Shown once; only a hash is kept. */
export const NewApiKey = Type.Object({
  id: Type.String(),
  key: Type.String(),
  /** For a kiosk: what to open on its screen. Null for a program's key. */
  link: Type.Union([Type.String({ examples: ["https://millrace.example/kiosk#token=…"] }), Type.Null()]),
});
export type NewApiKey = Static<typeof NewApiKey>;
