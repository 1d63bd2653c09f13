import type { GatewayHealth, HealthFinding } from "@millrace/contract/api/gateway-health";

/** Where a figure becomes something to tell. */
export const FINDING = {
  /** Less than a night and a day: somebody has to act today. */
  bufferDaysMin: 1,
  /** Share of the quota that waits for the hub. */
  unsentShareMax: 0.7,
  /** A gateway's clock may be off by this before times mislead (`DECISIONS.md` 36). */
  offsetMsMax: 2_000,
  diskFreeShareMin: 0.05,
  /** Share of the cycles since the start. */
  missedShareMax: 0.05,
  cyclesMin: 100,
  /** Devices told by name; the rest are counted. */
  devicesNamedMax: 5,
} as const;

type Looked = Omit<GatewayHealth, "findings">;
type Found = HealthFinding | null;

const finding = (
  code: string,
  severity: HealthFinding["severity"],
  message: string,
  nextStep: string,
): HealthFinding => ({ code, severity, message, nextStep });

/** What a person should know about a gateway, worst first. Pure, so that the table of cases is the specification. */
export function findingsOf(health: Looked): HealthFinding[] {
  const all: Found[] = [
    linkFinding(health),
    ...bufferFindings(health),
    diskFinding(health),
    ...manifestFindings(health),
    clockFinding(health),
    ...localFindings(health),
    ...sparkplugFindings(health),
    ...deviceFindings(health),
    cyclesFinding(health),
  ];
  const found = all.filter((one) => one !== null);
  return [
    ...found.filter(({ severity }) => severity === "error"),
    ...found.filter(({ severity }) => severity === "warning"),
  ];
}

function linkFinding({ link, enrolment, reportedAt }: Looked): Found {
  if (link.cloned !== null)
    return finding(
      "link.cloned",
      "error",
      `Two machines use this identity since ${link.cloned}; neither is let in.`,
      "Switch one off, then trust the other, or enrol it again.",
    );
  if (enrolment === "revoked")
    return finding(
      "link.revoked",
      "error",
      "The key of this gateway is not taken any more.",
      "Make a claim token and start the gateway with it.",
    );
  if (link.linkState === "up") return null;
  if (link.lastSeen === null)
    return finding(
      "link.never",
      "warning",
      "This gateway was never connected.",
      "Make a claim token and start the gateway with it.",
    );
  const figures = reportedAt === null ? "" : " The figures here are the last it told.";
  return finding(
    "link.down",
    "error",
    `Not connected since ${link.since ?? link.lastSeen}; it keeps its data meanwhile.${figures}`,
    "Check power and network of the gateway; its local page says what it tries.",
  );
}

function bufferFindings({ buffer }: Looked): Found[] {
  if (buffer === null) return [];
  const { durable, daysLeft, bytesUnsent, bytesQuota, samplesUnsent, oldestUnsent, samplesLost } = buffer;
  const unsentShare = bytesQuota > 0 ? bytesUnsent / bytesQuota : 0;
  return [
    durable
      ? null
      : finding(
          "buffer.refused",
          "error",
          "The disk refuses: samples are kept in memory only.",
          "Check the gateway's disk; do not restart it before it takes data again.",
        ),
    daysLeft !== null && daysLeft < FINDING.bufferDaysMin
      ? finding(
          "buffer.short",
          "warning",
          `Without the hub the buffer lasts ${Math.floor(daysLeft * 24)} h until samples are thinned or lost.`,
          "Give the gateway more disk (MILLRACE_OUTBOX_BYTES_MAX).",
        )
      : null,
    unsentShare >= FINDING.unsentShareMax
      ? finding(
          "buffer.filling",
          "warning",
          `${samplesUnsent} samples wait, the oldest since ${oldestUnsent}: ${Math.round(unsentShare * 100)} % of the buffer.`,
          "Check the link between gateway and hub.",
        )
      : null,
    samplesLost > 0
      ? finding(
          "buffer.lost",
          "error",
          `${samplesLost} samples were lost since the start; each lost stretch is recorded as a gap.`,
          "Look at the gaps; give the gateway more disk.",
        )
      : null,
  ];
}

function diskFinding({ machine }: Looked): Found {
  if (machine === null || machine.diskBytes === null || machine.diskBytes === 0) return null;
  const share = machine.diskFreeBytes / machine.diskBytes;
  if (share >= FINDING.diskFreeShareMin) return null;
  return finding(
    "disk.full",
    "warning",
    `The gateway's disk has ${Math.round(share * 100)} % free.`,
    "Free space on the gateway's disk.",
  );
}

function manifestFindings({ manifest, link }: Looked): Found[] {
  const { wanted, running, error, held } = manifest;
  return [
    error === null
      ? null
      : finding(
          "manifest.refused",
          "error",
          `The gateway refused its configuration: ${error}`,
          "Correct what the message names; it runs its last good one meanwhile.",
        ),
    held === null
      ? null
      : finding(
          "manifest.held",
          "warning",
          `The gateway runs configuration ${held}, which this hub never made; nothing is offered.`,
          "Confirm this hub's configuration, or restore the newer hub.",
        ),
    error === null && held === null && link.linkState === "up" && wanted !== running
      ? finding(
          "manifest.behind",
          "warning",
          `Configuration ${wanted} is wanted, ${running} runs.`,
          "Wait a moment; if it stays, restart the gateway.",
        )
      : null,
  ];
}

function clockFinding({ clock }: Looked): Found {
  const { offsetMs } = clock;
  if (offsetMs === null || Math.abs(offsetMs) <= FINDING.offsetMsMax) return null;
  const way = offsetMs > 0 ? "ahead of" : "behind";
  return finding(
    "clock.off",
    "warning",
    `The gateway's clock is ${Math.abs(offsetMs)} ms ${way} the hub's.`,
    "Set up time synchronisation on the gateway.",
  );
}

/** What somebody at the machine has switched, and who tries to get in there. */
function localFindings({ local }: Looked): Found[] {
  if (local === null) return [];
  const { commissioningUntil, lockedOut, signInLockedUntil } = local;
  return [
    commissioningUntil === null
      ? null
      : finding(
          "commissioning.on",
          "warning",
          `Somebody at the machine has commissioning mode on until ${commissioningUntil}.`,
          "It ends by itself; the events say who it is.",
        ),
    lockedOut
      ? finding(
          "lockout.on",
          "warning",
          "Somebody at the machine has locked out writes from afar.",
          "It is released at the gateway's own page; the events say who it is.",
        )
      : null,
    signInLockedUntil === null
      ? null
      : finding(
          "local.locked",
          "warning",
          `Too many wrong PINs at the gateway's own page; locked until ${signInLockedUntil}.`,
          "Ask who is there; the events name the addresses.",
        ),
  ];
}

function sparkplugFindings({ sparkplug, link }: Looked): Found[] {
  if (sparkplug === null || sparkplug === undefined || link.linkState !== "up") return [];
  const { state, code, reason, dropped } = sparkplug;
  const lost = state === "stopped" || (state === "connecting" && code !== "");
  return [
    lost
      ? finding(
          "sparkplug.away",
          "warning",
          `Nothing is told to Sparkplug hosts: ${reason}`,
          "Look at the gateway's Sparkplug settings and at the broker; what happens meanwhile is kept.",
        )
      : null,
    state === "waiting"
      ? finding(
          "sparkplug.waiting",
          "warning",
          `Nothing is told to Sparkplug hosts: ${reason}`,
          "Start the host; what happens meanwhile is kept.",
        )
      : null,
    dropped > 0
      ? finding(
          "sparkplug.dropped",
          "warning",
          `${dropped} changes found no room and are lost to the Sparkplug hosts; this hub has them.`,
          "Give the gateway's Sparkplug history more room.",
        )
      : null,
  ];
}

function deviceFindings({ devices }: Looked): Found[] {
  const lost = devices.filter(({ linkState }) => linkState !== "up");
  const named = lost
    .slice(0, FINDING.devicesNamedMax)
    .map(({ name, deviceId, cause, nextStep }) =>
      finding("device.lost", "error", `${name ?? deviceId}: ${cause}`, nextStep),
    );
  const more = lost.length - named.length;
  if (more === 0) return named;
  return [
    ...named,
    finding("device.lost", "error", `${more} more devices are not read.`, "Look at the list of devices."),
  ];
}

function cyclesFinding({ cycles, cyclesMissed, devices }: Looked): Found {
  const due = cycles + cyclesMissed;
  // What a lost device misses is told with the device.
  if (due < FINDING.cyclesMin || devices.some(({ linkState }) => linkState !== "up")) return null;
  const share = cyclesMissed / due;
  if (share <= FINDING.missedShareMax) return null;
  return finding(
    "cycles.missed",
    "warning",
    `${Math.round(share * 100)} % of the scan cycles were missed since the start.`,
    "Poll more slowly, or look at the response times of the devices.",
  );
}
