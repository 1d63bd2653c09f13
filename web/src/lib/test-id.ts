/**
 * Marks the end-to-end stories find things by: `[data-testid="…"]`. Texts may be translated, these stay.
 *
 * Beside them: a tag row carries `data-tag-path` and `data-tag-no`, a value cell `data-state` (a `ValueLook`), the
 * connection chip `data-link` (`live` | `connecting` | `reconnecting` | `offline`), a device card `data-device-path`
 * and `data-state` (`normal` | `attention` | `bad` | `offline`), a gateway row `data-gateway-name` and
 * `data-link-state`.
 */
export const TEST_ID = {
  setupForm: "setup-form",
  setupName: "setup-name",
  setupEmail: "setup-email",
  setupPassword: "setup-password",
  setupSubmit: "setup-submit",
  setupNext: "setup-next",
  signInForm: "sign-in-form",
  signInEmail: "sign-in-email",
  signInPassword: "sign-in-password",
  signInSubmit: "sign-in-submit",
  signOut: "sign-out",
  connectionChip: "connection-chip",
  connectionDetail: "connection-detail",
  offlineBanner: "offline-banner",
  updateChip: "update-chip",
  problem: "problem",
  overview: "overview",
  deviceCard: "device-card",
  gatewayList: "gateway-list",
  gatewayRow: "gateway-row",
  gatewayDetail: "gateway-detail",
  gatewayCloned: "gateway-cloned",
  gatewayCompleteness: "gateway-completeness",
  gatewayEvents: "gateway-events",
  gatewayAdd: "gateway-add",
  claimCommand: "claim-command",
  tagList: "tag-list",
  tagSearch: "tag-search",
  tagRow: "tag-row",
  valueCell: "value-cell",
  tagDetail: "tag-detail",
  tagDetailValue: "tag-detail-value",
  tagDetailQuality: "tag-detail-quality",
} as const;

export type TestId = (typeof TEST_ID)[keyof typeof TEST_ID];

/** What a value cell's `data-state` may say. `loading`: the hub was asked and has not answered yet. */
export type ValueLook = "loading" | "waiting" | "live" | "stale" | "uncertain" | "bad" | "offline";
