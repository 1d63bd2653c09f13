import type { Gateway } from "@millrace/contract/api/gateway";
import type { GatewayLink } from "../../ports.ts";
import type { ShownGateway } from "./store.ts";

const iso = (at: Date | null): string | null => (at === null ? null : at.toISOString());

/** The link's state is what the hub sees now; since when may reach back before the hub's own start. */
export const mapGateway = (row: ShownGateway, link: GatewayLink): Gateway => ({
  id: row.id,
  name: row.name,
  siteId: row.siteId,
  enrolment: row.enrolment,
  linkState: link.linkState,
  linkSince: link.sinceMs === null ? iso(row.linkSince) : new Date(link.sinceMs).toISOString(),
  lastSeen: iso(row.lastSeenAt),
  fingerprint: row.fingerprint,
  manifestWanted: row.manifestWanted,
  manifestRunning: row.manifestRunning,
  manifestError: row.manifestError,
  cloned: iso(row.clonedAt),
  restoring: row.restoring,
  manifestHeld: row.manifestHeld,
  clock: row.health?.clockQuality ?? null,
  labels: row.labels,
  revision: row.revision,
  deviceCount: row.deviceCount,
  tagCount: row.tagCount,
  status: row.health,
});
