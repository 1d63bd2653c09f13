import type { Clock } from "@millrace/contract/std/clock";
import type { GatewayStatus } from "@millrace/contract/vocabulary/gateway";
import type { MachineHealth } from "../health/machine.ts";
import type { Connection } from "../supervisor/connection.ts";
import type { DeviceSupervisor } from "../supervisor/device.ts";
import type { LockoutState } from "./lockout.ts";

/** State of the link to the hub, as the page shows it. */
export interface HubView {
  url: string;
  up: boolean;
  sinceMs: number;
  /** Error code and sentence while the link is down. */
  code: string;
  reason: string;
}

/** What somebody at the machine has switched. */
export interface WorkView {
  /** 0 while commissioning mode is off. */
  commissioningLeftMs: number;
  commissioningBy: string;
  /** 0 while writing from afar is not armed. */
  armedLeftMs: number;
  lockout: LockoutState;
}

/** What the page reads when it is asked. Nothing here is kept between two requests. */
export interface LocalView {
  gatewayName: string;
  gatewayId: string;
  fingerprint: string;
  /** Why no manifest runs; empty when one does. */
  manifestProblem: string;
  status: GatewayStatus;
  machine: MachineHealth;
  hub: HubView;
  devices: readonly DeviceSupervisor[];
  /** What the bus doctor looks at, by the clock it is measured with. */
  bus: { clock: Clock; connections: readonly Connection[] };
  work: WorkView;
}
