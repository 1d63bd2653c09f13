/** Paths at the hub that a gateway uses. Both ends import them, so they cannot drift apart. */
export const ROUTE = {
  uplink: "/api/v1/uplink",
  enrolments: "/api/v1/enrolments",
  /** Also on the plain port: what it says is signed. */
  hubTrust: "/trust/hub.json",
} as const;
