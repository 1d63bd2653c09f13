import { getLogger } from "@logtape/logtape";
import { type AppError, asAppError } from "@millrace/contract/error/app-error";
import type { Clock, Random } from "@millrace/contract/std/clock";
import type { GatewayStatus } from "@millrace/contract/vocabulary/gateway";
import { EVENT, type GatewayEvent } from "@millrace/contract/wire/event";
import type { Manifest } from "@millrace/contract/wire/manifest";
import { AnchoredClock } from "./clock/anchored-clock.ts";
import { type CommandDesk, openCommandDesk } from "./commands/desk.ts";
import { commandVerifier } from "./commands/genuine.ts";
import type { Holds } from "./commands/holds.ts";
import { performer } from "./commands/perform.ts";
import type { WritePermit } from "./commands/write.ts";
import { FieldDesk } from "./field/desk.ts";
import { FillMeter } from "./health/buffer-room.ts";
import { Machine } from "./health/machine.ts";
import { becomeKnown } from "./identity/become-known.ts";
import type { HubTrustKeeper } from "./identity/hub-trust.ts";
import { bootIdentity, type Identity, openIdentityFolder } from "./identity/identity.ts";
import { keepIn } from "./identity/keep-file.ts";
import { fingerprintOf } from "./identity/key.ts";
import { openSealingKey, type SealingKey } from "./identity/sealing-key.ts";
import { type Intake, openIntake } from "./intake/open.ts";
import { type Local, openLocal } from "./local/open.ts";
import type { LocalView } from "./local/view.ts";
import type { LogForward } from "./logs/forward.ts";
import { deviceSecrets, settingsEvent, sparkplugSecrets } from "./logs/told-settings.ts";
import { openedDevices, openedSettings, openedSparkplug } from "./manifest/opened.ts";
import { type ManifestStore, openManifestStore } from "./manifest/store.ts";
import type { Namespace } from "./namespace/open.ts";
import { openFleet } from "./open-fleet.ts";
import { type Outbox, openOutbox } from "./outbox/outbox.ts";
import type { Receipt } from "./outbox/receipt.ts";
import type { Settings } from "./settings.ts";
import type { Sparkplug } from "./sparkplug/open.ts";
import type { Fleet } from "./supervisor/fleet.ts";
import { watchStates } from "./supervisor/watch.ts";
import { learnTrust, openTrust } from "./uplink/learn-trust.ts";
import { createUplink, type Uplink } from "./uplink/uplink.ts";

const log = getLogger(["gateway"]);
/** Stays here (`logs/forward.ts`): what the buffer has to say travels as events. */
const bufferLog = getLogger(["gateway", "buffer"]);

export const SOFTWARE = "millrace-gateway 0.1.0";
const RUNTIME = `bun ${Bun.version}, ${process.platform} ${process.arch}`;

export interface GatewayDeps {
  clock: Clock;
  random: Random;
  /** Bytes nobody can foresee, for secrets. */
  randomBytes: (count: number) => Uint8Array;
  signal: AbortSignal;
  /** Nothing can be stored any more: the process must end with a failure. */
  onCrash: (error: AppError) => void;
  /** Somebody at the hub asked for it: the process must end in order, and with `EXIT_RESTART`. */
  onRestart: () => void;
  /** Sends the log to the hub. */
  logs: LogForward;
}

export interface Gateway {
  localUrl: string;
  /** First PIN of the local page when it was made at this start, to be shown once. */
  firstPin: string | null;
  /** Stops polling, seals, flushes, closes. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Composes the gateway. Devices are polled as soon as the buffer is open, from the cached manifest; the hub comes last,
 * because nothing here needs it.
 * @throws AppError `setting.wrong`, `claim.refused`, `outbox.failed`
 */
export async function startGateway(settings: Settings, deps: GatewayDeps): Promise<Gateway> {
  const { random, logs } = deps;
  const [clock, folder] = [new AnchoredClock(deps.clock), settings.dataFolder];
  const opened = await openIdentityFolder(folder);
  const trust = await openTrust(folder, settings.hubUrl, deps.clock);
  const state = opened.state ?? (await becomeKnown(settings, opened, { ...deps, trust, software: SOFTWARE }));
  const identity = await bootIdentity(folder, opened.key, state);
  const sealing = await openSealingKey(folder);
  const outbox = await openBuffer(settings, identity, clock, deps);
  beginClock(clock, identity, outbox);
  const startedMs = clock.nowMs();
  reportStart(outbox, [startedEvent(clock, identity, outbox), settingsEvent(settings, startedMs)]);
  logs.attach({ clock, report: (event) => outbox.report(event) });
  const intake = await openIntake(settings, { clock, ...durable(outbox) });
  const [permit, keep] = [permitOf(settings, () => parts.local), keepIn(folder)];
  const report = (event: GatewayEvent) => outbox.report(event);
  const { fleet, holds, sparkplug, namespace } = openFleet(
    { folder, clock, random, keep, software: SOFTWARE, permit, report },
    outbox,
    intake,
    settings,
  );
  const field = new FieldDesk({
    clock,
    fleet,
    keepSecret: (values) => logs.keepSecret("field", values),
    opened: (body) => openedSettings(sealing, identity.state(), body),
  });
  const manifest = await openManifestStore({
    folder,
    scope: identity.state(),
    apply: applier({ sealing, logs, field, namespace, fleet, sparkplug }),
  });
  reportCache(manifest);
  const commands = await openCommandDesk({
    folder,
    clock,
    hubNowMs: () => clock.hubNowMs(),
    isGenuine: commandVerifier(() => identity.state()),
    perform: performer({ clock, fleet, permit, holds, outbox, logs, onRestart: deps.onRestart }),
    report,
  });
  const parts: Parts = {
    ...{ settings, identity, trust, outbox, namespace, fleet, holds, sparkplug, field },
    ...{ manifest, commands, logs, startedMs, clock },
    machine: new Machine(clock, folder),
    fill: new FillMeter(),
    uplink: null,
    local: null,
  };
  const uplink = openUplink(parts, random, sealing.publicKey);
  parts.uplink = uplink;
  uplink.onChange(({ linkState }) => logs.hubIs(linkState === "up"));
  learnTrust(uplink, trust, () => identity.state(), settings.hubUrl);
  const local = await openLocalPage(parts, deps.randomBytes);
  parts.local = local;
  uplink.start();
  const stateText = () => `${fleet.linkText()} ${sparkplug.stateText()}`;
  const stopWatch = watchStates(stateText, clock, () => uplink.statusChanged());
  return { localUrl: local.url, firstPin: local.firstPin, stop: stopOnce(parts, local, intake, stopWatch) };
}

const applier =
  ({ sealing, logs, field, namespace, fleet, sparkplug }: ApplierDeps) =>
  async (wanted: Manifest): Promise<void> => {
    // Opened in memory only: what lies on disk is what the hub signed.
    const devices = openedDevices(sealing, wanted);
    const edge = openedSparkplug(sealing, wanted);
    logs.keepSecret("devices", [...deviceSecrets(devices), ...sparkplugSecrets(edge)]);
    await field.release();
    namespace.apply(devices);
    await fleet.apply({ ...wanted, devices });
    await sparkplug.apply(edge, devices);
  };

/** The page opens last, and until then nobody at the machine can have armed or released anything. */
const permitOf = (settings: Settings, local: () => Local | null): WritePermit => ({
  lockedOut: () => local()?.lockout.on() ?? true,
  armedBy: () => local()?.arming.armedBy() || null,
  needsArming: settings.armWrites,
});

interface ApplierDeps extends Pick<Parts, "logs" | "field" | "namespace" | "fleet" | "sparkplug"> {
  sealing: SealingKey;
}

interface Parts {
  settings: Settings;
  identity: Identity;
  trust: HubTrustKeeper;
  outbox: Outbox;
  namespace: Namespace;
  fleet: Fleet;
  holds: Holds;
  sparkplug: Sparkplug;
  field: FieldDesk;
  manifest: ManifestStore;
  commands: CommandDesk;
  machine: Machine;
  fill: FillMeter;
  logs: LogForward;
  startedMs: number;
  clock: AnchoredClock;
  uplink: Uplink | null;
  local: Local | null;
}

function openBuffer(
  settings: Settings,
  identity: Identity,
  clock: AnchoredClock,
  deps: GatewayDeps,
): Promise<Outbox> {
  return openOutbox({
    folder: settings.dataFolder,
    epoch: identity.state().epoch,
    renewEpoch: () => identity.renewEpoch(),
    bootNo: identity.bootNo,
    clock,
    bytesQuota: settings.outboxBytesMax,
    mode: settings.outboxMode,
    clockQuality: () => clock.quality(),
    ackedKeepMs: settings.ackedKeepHours * 3_600_000,
    onReport: ({ code, message }) => bufferLog.warn("{message}", { code, message }),
    onCrash: deps.onCrash,
  });
}

function openUplink(parts: Parts, random: Random, sealKey: string): Uplink {
  const { settings, identity, trust, outbox, manifest, commands, clock, fleet, field } = parts;
  return createUplink({
    hubUrl: settings.hubUrl,
    identity,
    sealKey,
    outbox,
    manifest,
    status: () => statusOf(parts, true),
    software: SOFTWARE,
    clock,
    random,
    clockQuality: () => clock.quality(),
    onHubTime: (time) => clock.hearHub(time),
    snapshot: () => fleet.snapshot(),
    commands,
    field,
    tls: () => trust.tls(),
    allowPlain: settings.allowPlain,
  });
}

function openLocalPage(parts: Parts, randomBytes: GatewayDeps["randomBytes"]): Promise<Local> {
  const { settings, clock, fleet, field, outbox } = parts;
  return openLocal({
    settings,
    clock,
    randomBytes,
    fleet,
    field,
    view: () => viewOf(parts),
    report: (event) => outbox.report(event),
    onChange: () => parts.uplink?.statusChanged(),
  });
}

/**
 * Only a frame whose time was checked tells what the time must have been: one sealed while the clock ran ahead would
 * make every right clock look wrong.
 */
function beginClock(clock: AnchoredClock, identity: Identity, outbox: Outbox): void {
  const newest = outbox.newestSealed;
  const checked = newest !== null && (newest.clockQuality === "hub" || newest.clockQuality === "ntp");
  clock.begin(identity.bootNo, checked ? newest.wallMs : null, {
    beforeChange: () => outbox.cut(),
    onEvent: (event) => outbox.report(event),
  });
}

function startedEvent(clock: AnchoredClock, { bootNo }: Identity, outbox: Outbox): GatewayEvent {
  const offSinceMs = outbox.newestSealed?.wallMs ?? null;
  const before =
    offSinceMs === null ? "" : `; the last sample before was sealed at ${new Date(offSinceMs).toISOString()}`;
  const code = "gateway.started";
  const message = `${SOFTWARE} started, boot ${bootNo}${before}`;
  return { timeMs: clock.nowMs(), code, severity: EVENT[code], message, data: { bootNo, offSinceMs } };
}

function reportCache(manifest: ManifestStore): void {
  const problem = manifest.cacheProblem();
  if (problem)
    log.warn("cached manifest not used: {reason}", { reason: problem.message, code: problem.code });
}

/** @param fresh takes a new look at the machine; the share of CPU is then that since the last such look */
async function statusOf(parts: Parts, fresh: boolean): Promise<GatewayStatus> {
  const machine = fresh ? await parts.machine.look() : parts.machine.last();
  const diskFreeBytes = machine.diskBytes > 0 ? machine.diskFreeBytes : null;
  const outbox = await parts.outbox.stats();
  const sparkplug = parts.sparkplug.status();
  return {
    software: SOFTWARE,
    runtime: RUNTIME,
    startedMs: parts.startedMs,
    nowMs: parts.clock.nowMs(),
    cpuShare: machine.cpuShare,
    memoryBytes: machine.memoryBytes,
    diskFreeBytes: machine.diskFreeBytes,
    diskBytes: machine.diskBytes,
    temperatureC: machine.temperatureC,
    clockQuality: parts.clock.quality(),
    clockOffsetMs: parts.uplink?.link().clockOffsetMs ?? null,
    manifestRev: parts.manifest.current()?.rev ?? 0,
    log: parts.logs.status(),
    hubTrust: parts.trust.kind(),
    ...(parts.local === null ? {} : { local: parts.local.state() }),
    ...parts.namespace.status(),
    outbox: parts.fill.measured(outbox, parts.clock.monoMs(), diskFreeBytes),
    devices: parts.fleet.statuses(),
    ...(sparkplug === null ? {} : { sparkplug }),
  };
}

async function viewOf(parts: Parts): Promise<Omit<LocalView, "work">> {
  const link = parts.uplink?.link();
  const up = link?.linkState === "up";
  // While the hub asks for the status, its interval is the one shown; else the page's own.
  const status = await statusOf(parts, !up);
  const { gatewayId, gatewayName } = parts.identity.state();
  return {
    gatewayId,
    gatewayName: parts.manifest.current()?.gatewayName ?? gatewayName,
    fingerprint: fingerprintOf(parts.identity.key.publicKey),
    manifestProblem: parts.manifest.cacheProblem()?.message ?? "",
    status,
    machine: parts.machine.last(),
    hub: {
      url: parts.settings.hubUrl,
      up,
      sinceMs: link?.sinceMs ?? parts.startedMs,
      code: link?.code ?? "",
      reason: link?.reason ?? "",
    },
    devices: parts.fleet.devices(),
    bus: { clock: parts.clock, connections: parts.fleet.connections() },
  };
}

function reportStart(outbox: Outbox, events: readonly GatewayEvent[]): void {
  for (const event of events) outbox.report(event);
}

/** What an answer to a device stands on. */
const durable = (outbox: Outbox) => ({
  receipt: (id: string) => outbox.receipt(id),
  keep: (receipt: Receipt | null) => outbox.keep(receipt),
});

function stopOnce(
  parts: Parts,
  local: Local,
  intake: Intake | null,
  stopWatch: () => void,
): () => Promise<void> {
  let stopping: Promise<void> | null = null;
  const stop = async () => {
    stopWatch();
    await local.stop();
    await parts.field.stop();
    parts.namespace.stop();
    await intake?.stop();
    // Before the devices: hosts hear of the gateway's end, not of each device's.
    await parts.sparkplug.stop();
    await parts.holds.stop();
    await parts.fleet.stop();
    parts.commands.close();
    // Sealed before the link goes, so that what is still in memory lies on disk whatever happens next.
    await parts.outbox
      .flush()
      .catch((thrown) => log.error("flush failed: {error}", { error: asAppError(thrown) }));
    parts.logs.detach();
    parts.uplink?.stop();
    parts.clock.stop();
    await parts.outbox.close();
  };
  return () => {
    stopping ??= stop();
    return stopping;
  };
}
