import type { Gateway } from "@millrace/contract/api/gateway";
import type { Stack } from "../stack/stack.ts";

/** @throws Error when it does not come true within three minutes */
export async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 180_000;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`${what} did not come true within three minutes`);
    await Bun.sleep(500);
  }
}

export interface Totals {
  missed: number;
  cycles: number;
  good: number;
}

/** What all devices of a gateway say of their polling, as of its last heartbeat. */
export async function totals(stack: Stack, gatewayId: string): Promise<Totals> {
  const gateway = await stack.api.get<Gateway>(`/gateways/${gatewayId}`);
  const sum = { missed: 0, cycles: 0, good: 0 };
  for (const device of gateway.status?.devices ?? []) {
    sum.missed += device.cyclesMissed;
    sum.cycles += device.cycles;
    sum.good += device.tagsGood;
  }
  return sum;
}
