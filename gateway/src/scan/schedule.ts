/**
 * When to read. Pure: time comes in, decisions go out. All times are monotonic ms.
 *
 * The tags of a device are grouped by scan interval; each group has deadlines on a fixed grid. Groups that are due
 * together are read together. A deadline that finds its own group still being read is skipped and counted, never
 * queued: a slow device must show as slow, not fall further and further behind.
 */

export interface ScanGroup {
  scanMs: number;
  /** Next deadline that nobody has taken or skipped. */
  nextMs: number;
  /** Positions of the group's tags in the device's tag list. */
  members: readonly number[];
}

export interface Due {
  /** Indexes of the groups to read now. */
  groups: number[];
  /** Deadlines skipped since the last look, summed over the groups. */
  missed: number;
  /** The same for the group that lost most: how many intervals in a row somebody waited in vain. */
  missedMax: number;
}

/** Devices start spread over at most this long, so that a thousand of them do not all ask in the same instant. */
export const STAGGER_MS_MAX = 5_000;

/** A hash of the id (FNV-1a, murmur3 finisher) as a share in [0, 1): the same device gets the same place in the interval after each start. */
export function staggerShare(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  // Ids of one batch differ in their last digits only; the finisher spreads that over all bits.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** @param scanMsOf interval of each tag, in the order of the device's tag list */
export function planGroups(deviceId: string, scanMsOf: readonly number[], nowMs: number): ScanGroup[] {
  const members = new Map<number, number[]>();
  scanMsOf.forEach((scanMs, index) => {
    const group = members.get(scanMs);
    if (group) group.push(index);
    else members.set(scanMs, [index]);
  });
  const intervals = [...members.keys()].sort((a, b) => a - b);
  // One offset for all groups of the device: 1 s and 10 s groups then fall due together and share requests.
  const offset = staggerShare(deviceId) * Math.min(intervals[0] ?? 0, STAGGER_MS_MAX);
  return intervals.map((scanMs) => ({ scanMs, nextMs: nowMs + offset, members: members.get(scanMs) ?? [] }));
}

/** Takes every group whose deadline has come. Deadlines that passed unseen (a stalled process) count as missed. */
export function takeDue(groups: ScanGroup[], nowMs: number): Due {
  const due: Due = { groups: [], missed: 0, missedMax: 0 };
  groups.forEach((group, index) => {
    if (group.nextMs > nowMs) return;
    const passed = Math.floor((nowMs - group.nextMs) / group.scanMs);
    group.nextMs += (passed + 1) * group.scanMs;
    due.groups.push(index);
    count(due, passed);
  });
  return due;
}

/**
 * Skips the deadlines that came while `running` groups were being read. Of a group that waits behind them the newest
 * deadline stays due: it was never started, so it is late, not missed.
 */
export function skipPassed(groups: ScanGroup[], running: readonly number[], nowMs: number): Due {
  const skipped: Due = { groups: [], missed: 0, missedMax: 0 };
  groups.forEach((group, index) => {
    if (group.nextMs > nowMs) return;
    const passed = Math.floor((nowMs - group.nextMs) / group.scanMs) + (running.includes(index) ? 1 : 0);
    group.nextMs += passed * group.scanMs;
    count(skipped, passed);
  });
  return skipped;
}

export function nextDeadlineMs(groups: readonly ScanGroup[], only?: readonly number[]): number {
  let next = Number.POSITIVE_INFINITY;
  groups.forEach((group, index) => {
    if (group.nextMs < next && (only === undefined || only.includes(index))) next = group.nextMs;
  });
  return next;
}

function count(due: Due, passed: number): void {
  due.missed += passed;
  due.missedMax = Math.max(due.missedMax, passed);
}
