import type { Static } from "@sinclair/typebox";
import type { DownlinkMessage } from "../src/wire/downlink.ts";
import { encodeKnownFrames } from "../src/wire/known-frames.ts";
import type { LiveClientMessage, LiveServerMessage } from "../src/wire/live.ts";
import type { UplinkMessage } from "../src/wire/uplink.ts";

/** One message of each type, with every field in use. Written to `golden/wire/v1` once; those files then stay. */

const gatewayId = "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55";
const hubId = "01938f5e-7c1a-7b2e-9d30-000000000001";
const deviceId = "01938f5e-7c1a-7b2e-9d30-000000000002";
const atMs = 1_767_225_600_000;
const nonce = "A".repeat(43);
const signature = "B".repeat(86);

type ByType<M extends { type: string }> = { [T in M["type"]]: Extract<M, { type: T }> };

const deviceStatus = {
  deviceId,
  linkState: "waiting" as const,
  sinceMs: atMs - 4_000,
  code: "device.timeout",
  reason: "No answer within 1,000 ms, 3 times in a row; next try in 4 s",
  lastGoodMs: atMs - 9_000,
  cycles: 120,
  cyclesMissed: 2,
  requests: 480,
  errors: 3,
  roundTripMs: 4.5,
  tagsGood: 0,
  tagsBad: 12,
};

export const UPLINK: ByType<UplinkMessage> = {
  hello: {
    type: "hello",
    body: {
      protocol: 1,
      gatewayId,
      keyId: "k1",
      hubId,
      nonce,
      epoch: 3,
      sessionNo: 41,
      bootNo: 7,
      streams: [{ lane: "H", seg: 1, low: 100, next: 220, acked: 180 }],
      manifestRev: 12,
      software: "0.1.0",
      wallMs: atMs,
    },
    signature,
  },
  hb: { type: "hb", wallMs: atMs },
  status: {
    type: "status",
    status: {
      software: "0.1.0",
      startedMs: atMs - 3_600_000,
      nowMs: atMs,
      cpuShare: 0.07,
      memoryBytes: 90_000_000,
      diskFreeBytes: 12_000_000_000,
      clockOffsetMs: -3,
      manifestRev: 12,
      outbox: {
        framesUnsent: 4,
        samplesUnsent: 2_000,
        bytesUnsent: 8_192,
        bytesUsed: 1_048_576,
        bytesQuota: 1_073_741_824,
        oldestUnsentMs: atMs - 900,
        samplesLost: 0,
        durable: true,
      },
      devices: [deviceStatus],
    },
  },
  manifestApplied: { type: "manifestApplied", rev: 12 },
  manifestRefused: {
    type: "manifestRefused",
    rev: 13,
    code: "manifest.signature",
    message: "Signed by another key",
  },
  fieldAnswer: {
    type: "fieldAnswer",
    requestId: deviceId,
    result: {
      kind: "read",
      ok: true,
      shared: true,
      roundTripMs: 4.5,
      requests: 2,
      readings: [
        { raw: 215, value: 21.5, quality: "good" },
        {
          raw: null,
          value: null,
          quality: "bad.addressIllegal",
          cause: { code: "address.illegal", message: "The device refuses holding 12" },
        },
      ],
    },
  },
};

const fieldBody = {
  kind: "read",
  driver: "modbus",
  settings: { host: "10.0.0.5", unit: 3 },
  parts: [[{ address: "holding:12", dataType: "int16", scale: { factor: 0.1, offset: 0 } }]],
};

export const DOWNLINK: ByType<DownlinkMessage> = {
  challenge: { type: "challenge", nonce, hubId, hubTimeMs: atMs, protocols: [1] },
  welcome: {
    type: "welcome",
    sessionId: deviceId,
    streams: [{ lane: "H", seg: 1, hwm: 180 }],
    creditBytes: 262_144,
    heartbeatMs: 10_000,
    manifestRev: 12,
    hubTimeMs: atMs,
  },
  renewEpoch: {
    type: "renewEpoch",
    epoch: 4,
    streams: [{ lane: "H", seg: 1, known: encodeKnownFrames([{ first: 181, crc: 0xdead_beef }]) }],
  },
  ack: { type: "ack", lane: "H", seg: 1, hwm: 219, creditBytes: 524_288 },
  nack: { type: "nack", lane: "H", seg: 1, seq: 221, expected: 220, code: "frame.gap", creditBytes: 0 },
  hb: { type: "hb", hubTimeMs: atMs },
  bye: {
    type: "bye",
    code: "uplink.fenced",
    message: "Another gateway has this identity",
    retryAfterMs: 300_000,
  },
  manifest: { type: "manifest", signed: { json: '{"version":1}', sha256: "0".repeat(64), signature } },
  command: {
    type: "command",
    command: {
      commandId: deviceId,
      commandNo: 5,
      expiresMs: atMs + 30_000,
      body: { kind: "restartDevice", deviceId },
    },
  },
  field: {
    type: "field",
    requestId: deviceId,
    limitMs: 9_000,
    body: fieldBody,
  },
  fieldCancel: { type: "fieldCancel", requestId: deviceId },
};

export const LIVE_CLIENT: ByType<Static<typeof LiveClientMessage>> = {
  subscribe: { type: "subscribe", id: 2, tags: [1, 7, 4_294_967_295] },
  hb: { type: "hb" },
};

const values: Extract<LiveServerMessage, { type: "snapshot" }>["values"] = [
  [1, 21.5, "good", atMs, 21.5, atMs],
  [2, null, "bad.linkLost", atMs, "18446744073709551615", atMs - 5_000],
  [3, null, "bad.unspecified", null, null, null],
];
const gateways = [{ gatewayId, linkState: "up" as const, sinceMs: atMs - 60_000 }];

export const LIVE_SERVER: ByType<LiveServerMessage> = {
  snapshot: { type: "snapshot", id: 2, seq: 0, hubTimeMs: atMs, values, gateways },
  delta: {
    type: "delta",
    id: 2,
    seq: 1,
    values: [[1, "NaN", "bad.notFinite", atMs, 21.5, atMs]],
    gateways: [],
  },
  hb: { type: "hb", hubTimeMs: atMs },
  error: { type: "error", code: "request.invalid", message: "A subscription has at most 5,000 tags" },
};
