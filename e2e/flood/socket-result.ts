import { ERROR } from "@millrace/contract/error/code";
import type { LoneHub } from "./hub.ts";
import type { MemoryPoint } from "./memory.ts";

/** Sockets of one kind with mutated frames. */
export interface SocketResult {
  socket: string;
  frames: number;
  sockets: number;
  /** How the sockets ended: close codes, 0 for none, and `open` for those we left. */
  ends: Record<string, number>;
  findings: SocketFinding[];
  memory: MemoryPoint[];
}

export interface SocketFinding {
  /** Of the one session that heard it, or of the first of a few that ran at the same time. */
  seed: number;
  what: string;
}

/** An answer that says that the hub itself failed, not the sender. */
export function failureIn(text: string): string | null {
  const code = /"code":"([a-zA-Z.]+)"/.exec(text)?.[1] ?? "";
  if (code === "uplink.busy") return null;
  const status = (ERROR as Record<string, { status: number }>)[code]?.status ?? 0;
  return status >= 500 ? text.slice(0, 300) : null;
}

/** What a hub says of wrong frames as it should: they are kept apart, or the gateway is told to begin anew. */
const MEANT = [
  "is in quarantine",
  "runs manifest",
  "refused its manifest",
  "nothing was overwritten",
  "The hub was set back",
  "went back in time",
  "is gone",
  "without a place in the history",
  // Ten thousand guessed claim tokens are noticed, and a rollout to gateways that nobody runs ends.
  "claim.guessing",
  "It did not run the change within",
];

const isMeant = (line: string): boolean => MEANT.some((text) => line.includes(text));

export interface SessionEnd {
  frames: number;
  end: string;
  failures: string[];
}

interface Rounds {
  socket: string;
  /** Frames in all, at least. */
  count: number;
  seed: number;
  /** Sessions at once. */
  atOnce: number;
  /** @param slot 0 to `atOnce` - 1: two sessions with the same one never run at once */
  session(seed: number, slot: number): Promise<SessionEnd>;
}

/** Runs sessions by rounds until enough frames were sent, and looks into the hub's log after each. */
export async function runSockets(hub: LoneHub, rounds: Rounds): Promise<SocketResult> {
  const result: SocketResult = {
    socket: rounds.socket,
    frames: 0,
    sockets: 0,
    ends: {},
    findings: [],
    memory: [{ done: 0, ...hub.memory() }],
  };
  let complaints = hub.complaints().length;
  while (result.frames < rounds.count && hub.child.running) {
    const first = rounds.seed + result.sockets;
    const ends = await Promise.all(
      Array.from({ length: rounds.atOnce }, (_, slot) => rounds.session(first + slot, slot)),
    );
    for (const [slot, { frames, end, failures }] of ends.entries()) {
      result.frames += frames;
      result.sockets++;
      result.ends[end] = (result.ends[end] ?? 0) + 1;
      for (const what of failures) result.findings.push({ seed: first + slot, what });
    }
    const said = hub.complaints();
    for (const line of said.slice(complaints).filter((line) => !isMeant(line)))
      result.findings.push({ seed: first, what: line });
    complaints = said.length;
    result.memory.push({ done: result.frames, ...hub.memory() });
  }
  return result;
}
