/**
 * Marks the end-to-end stories find things by: `[data-testid="…"]`. Texts may be translated, these stay.
 *
 * Beside them: a tag row carries `data-tag-path` and `data-tag-no`, a value cell `data-state` (a `ValueLook`), the
 * connection chip `data-link` (`live` | `connecting` | `reconnecting` | `offline`), a device card `data-device-path`
 * and `data-state` (`normal` | `attention` | `bad` | `offline`), a gateway row `data-gateway-name` and
 * `data-link-state`. The chart of trends carries `data-range` (`live` | `fixed`), `data-from` and `data-to` (ms UTC) and
 * `data-loading`, a pen `data-tag-no` and `data-state` (`loading` | `shown` | `stored` | `failed`), the live chip
 * `data-state` (`live` | `stopped` | `off`).
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
  trends: "trends",
  trendChart: "trend-chart",
  trendKind: "trend-kind",
  trendSpoken: "trend-spoken",
  trendReadout: "trend-readout",
  trendNoteHere: "trend-note-here",
  trendEmpty: "trend-empty",
  trendLive: "trend-live",
  trendCompare: "trend-compare",
  trendLayout: "trend-layout",
  trendTableToggle: "trend-table-toggle",
  trendTable: "trend-table",
  trendLegend: "trend-legend",
  trendPen: "trend-pen",
  trendPenValue: "trend-pen-value",
  trendPenFault: "trend-pen-fault",
  trendPenRemove: "trend-pen-remove",
  trendAdd: "trend-add",
  trendSearch: "trend-search",
  trendFound: "trend-found",
  trendNotes: "trend-notes",
  trendNote: "trend-note",
  trendNoteText: "trend-note-text",
  trendNoteSave: "trend-note-save",
  trendViews: "trend-views",
  trendSaveAs: "trend-save-as",
  trendViewName: "trend-view-name",
  trendViewSave: "trend-view-save",
  trendViewRow: "trend-view-row",
  trendPng: "trend-png",
  trendCsv: "trend-csv",
  tagOpenTrends: "tag-open-trends",
  tagHistory: "tag-history",
  historyStorage: "history-storage",
  retentionClass: "retention-class",
  retentionDays: "retention-days",
  retentionSave: "retention-save",
  retentionConfirm: "retention-confirm",
} as const;

export type TestId = (typeof TEST_ID)[keyof typeof TEST_ID];

/** What a value cell's `data-state` may say. `loading`: the hub was asked and has not answered yet. */
export type ValueLook = "loading" | "waiting" | "live" | "stale" | "uncertain" | "bad" | "offline";
