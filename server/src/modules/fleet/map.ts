import type { DeviceHealth, GatewayHealth } from "@millrace/contract/api/gateway-health";
import { ERROR, type ErrorCode } from "@millrace/contract/error/code";
import type { DeviceStatus, GatewayStatus } from "@millrace/contract/vocabulary/gateway";
import type { GatewayLink } from "../../ports.ts";
import { HUB_SOFTWARE } from "../../version.ts";
import { instantOf } from "../instant.ts";
import { bufferDaysLeft } from "./buffer-days.ts";
import { findingsOf } from "./findings.ts";
import type { HealthRow } from "./store.ts";

const instantOrNull = (ms: number | null | undefined): string | null =>
  ms === null || ms === undefined ? null : instantOf(ms);

/** The next step for a cause; codes of newer gateways have none here. */
const nextStepOf = (code: string): string =>
  Object.hasOwn(ERROR, code) ? ERROR[code as ErrorCode].nextStep : "";

function mapDevice(status: DeviceStatus, names: ReadonlyMap<string, string>): DeviceHealth {
  const { deviceId, linkState, sinceMs, code, reason, lastGoodMs, ...figures } = status;
  return {
    deviceId,
    name: names.get(deviceId) ?? null,
    linkState,
    since: instantOf(sinceMs),
    code,
    cause: reason,
    nextStep: nextStepOf(code),
    lastGood: instantOrNull(lastGoodMs),
    ...figures,
  };
}

function mapBuffer({ outbox }: GatewayStatus): GatewayHealth["buffer"] {
  return {
    framesUnsent: outbox.framesUnsent,
    samplesUnsent: outbox.samplesUnsent,
    bytesUnsent: outbox.bytesUnsent,
    bytesUsed: outbox.bytesUsed,
    bytesQuota: outbox.bytesQuota,
    oldestUnsent: instantOrNull(outbox.oldestUnsentMs),
    samplesLost: outbox.samplesLost,
    samplesThinned: outbox.samplesThinned ?? 0,
    framesDead: outbox.framesDead ?? 0,
    mode: outbox.mode ?? null,
    durable: outbox.durable,
    bytesRoom: outbox.bytesRoom ?? null,
    bytesPerDay: outbox.bytesPerDay ?? null,
    daysLeft: bufferDaysLeft(outbox.bytesRoom, outbox.bytesPerDay),
  };
}

const mapMachine = (status: GatewayStatus): GatewayHealth["machine"] => ({
  cpuShare: status.cpuShare,
  memoryBytes: status.memoryBytes,
  diskFreeBytes: status.diskFreeBytes,
  diskBytes: status.diskBytes ?? null,
  temperatureC: status.temperatureC ?? null,
});

const mapLog = ({ log }: GatewayStatus): GatewayHealth["log"] =>
  log === undefined
    ? null
    : { level: log.level, until: instantOrNull(log.untilMs), sent: log.sent, suppressed: log.suppressed };

/** Instants by the hub's time. */
const mapLocal = ({ local, clockOffsetMs }: GatewayStatus): GatewayHealth["local"] => {
  if (local === undefined) return null;
  const hubTime = (ms: number | null) => instantOrNull(ms === null ? null : ms - (clockOffsetMs ?? 0));
  return {
    commissioningUntil: hubTime(local.commissioningUntilMs),
    lockedOut: local.lockedOut,
    signInLockedUntil: hubTime(local.signInLockedUntilMs),
  };
};

const sumOf = (devices: readonly DeviceStatus[], name: "cycles" | "cyclesMissed"): number =>
  devices.reduce((sum, device) => sum + device[name], 0);

/** Row, link and last report → what people see, with the findings. */
export function mapHealth(
  row: HealthRow,
  link: GatewayLink,
  names: ReadonlyMap<string, string>,
): GatewayHealth {
  const status = row.health;
  const since = link.sinceMs ?? row.linkSince?.getTime() ?? null;
  const looked = {
    gatewayId: row.id,
    name: row.name,
    enrolment: row.enrolment,
    link: {
      linkState: link.linkState,
      since: instantOrNull(since),
      lastSeen: instantOrNull(row.lastSeenAt?.getTime()),
      cloned: instantOrNull(row.clonedAt?.getTime()),
    },
    reportedAt: status && instantOf(status.nowMs - (status.clockOffsetMs ?? 0)),
    startedAt: status && instantOf(status.startedMs - (status.clockOffsetMs ?? 0)),
    versions: {
      hub: HUB_SOFTWARE,
      gateway: status?.software ?? null,
      runtime: status?.runtime ?? null,
    },
    machine: status && mapMachine(status),
    buffer: status && mapBuffer(status),
    clock: { quality: status?.clockQuality ?? null, offsetMs: status?.clockOffsetMs ?? null },
    manifest: {
      wanted: row.manifestWanted,
      running: row.manifestRunning,
      wantedSha256: row.manifestSha256,
      error: row.manifestError,
      held: row.manifestHeld,
    },
    log: status && mapLog(status),
    local: status && mapLocal(status),
    sparkplug: status?.sparkplug ?? null,
    cycles: status ? sumOf(status.devices, "cycles") : 0,
    cyclesMissed: status ? sumOf(status.devices, "cyclesMissed") : 0,
    devices: status ? status.devices.map((device) => mapDevice(device, names)) : [],
  };
  return { ...looked, findings: findingsOf(looked) };
}
