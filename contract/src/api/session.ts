import { type Static, Type } from "@sinclair/typebox";
import { Instant } from "./page.ts";

/** How a session was opened. One by PIN holds no administrative permission. */
export const SESSION_KINDS = ["password", "passkey", "sso", "pin", "link"] as const;
export const SessionKind = Type.Unsafe<(typeof SESSION_KINDS)[number]>(
  Type.Union(SESSION_KINDS.map((kind) => Type.Literal(kind))),
);
export type SessionKind = Static<typeof SessionKind>;

export const Session = Type.Object({
  id: Type.String(),
  kind: SessionKind,
  /** True for the session that asks. */
  own: Type.Boolean(),
  /** As the browser says of itself, in words. */
  device: Type.String({ examples: ["Firefox on Android"] }),
  /** The network the browser was in when it signed in: never a whole address. */
  from: Type.String({ examples: ["10.20.0.0/24", "2001:db8:1:2::/64"] }),
  /** Name of the shared tablet it runs on. */
  sharedDevice: Type.Union([Type.String(), Type.Null()]),
  createdAt: Instant,
  lastSeenAt: Instant,
  expiresAt: Instant,
});
export type Session = Static<typeof Session>;

export const Sessions = Type.Object({ items: Type.Array(Session) });
/** How many sessions an action ended. */
export const Ended = Type.Object({ ended: Type.Integer({ minimum: 0 }) });
export const SessionParams = Type.Object({ sessionId: Type.String({ maxLength: 64 }) });
