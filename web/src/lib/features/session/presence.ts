import type { Clock } from "@millrace/contract/std/clock";
import type { HubClient } from "../../hub/client.ts";

/** How often the hub is told at most. */
const TELL_MS = 60_000;
const SIGNS = ["pointerdown", "keydown", "wheel"] as const;

export interface PresenceDeps {
  clock: Clock;
  client: HubClient;
  /** Without a sign of somebody for so long the session ends, in seconds. */
  idleS: number;
  onIdle(): void;
}

/** On a shared tablet: tells the hub of real input, and ends the session here too when there is none. */
export function watchPresence({ clock, client, idleS, onIdle }: PresenceDeps): () => void {
  let toldMs = clock.monoMs();
  let cancel = () => {};
  const wait = () => {
    cancel();
    cancel = clock.after(idleS * 1_000, onIdle);
  };
  const sign = () => {
    wait();
    if (clock.monoMs() - toldMs < TELL_MS) return;
    toldMs = clock.monoMs();
    void client.tell({ method: "POST", path: "/api/v1/me/activity", body: {} }).catch(() => undefined);
  };
  wait();
  for (const kind of SIGNS) addEventListener(kind, sign, { passive: true, capture: true });
  return () => {
    cancel();
    for (const kind of SIGNS) removeEventListener(kind, sign, { capture: true });
  };
}
