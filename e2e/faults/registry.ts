import type { FaultRow } from "./row.ts";
import { hourBack, noClock, yearAhead } from "./rows/clock.ts";
import { versions } from "./rows/content.ts";
import { damagedBuffer, diskFull } from "./rows/disk.ts";
import { greedy, herd, revoked } from "./rows/fleet.ts";
import { bitFlips, reordered, repeated } from "./rows/frames.ts";
import { killAfterAck, killInCommit } from "./rows/gateway-kill.ts";
import { fuzzed, oversized } from "./rows/hostile.ts";
import { killHub } from "./rows/hub-kill.ts";
import { cutLink, deadLink, idleCut, lostAcks } from "./rows/link.ts";
import { wrongManifest } from "./rows/manifest.ts";
import { longOutage, narrowLine, wrongNetwork } from "./rows/outage.ts";
import { poison } from "./rows/poison.ts";
import { hubHostCut, killBackend, postgresDown, restartPostgres } from "./rows/postgres.ts";
import { powerCut } from "./rows/power-cut.ts";
import { overQuota } from "./rows/quota.ts";
import { cloned, hubRestored, oldImage } from "./rows/restore.ts";

/** Every row that can be run, in the order of the matrix. */
export const ROWS: readonly FaultRow[] = [
  killInCommit,
  killAfterAck,
  killHub,
  hubHostCut,
  restartPostgres,
  postgresDown,
  killBackend,
  powerCut,
  diskFull,
  damagedBuffer,
  cutLink,
  deadLink,
  lostAcks,
  repeated,
  reordered,
  bitFlips,
  idleCut,
  longOutage,
  narrowLine,
  wrongNetwork,
  wrongManifest,
  yearAhead,
  hourBack,
  noClock,
  oldImage,
  cloned,
  hubRestored,
  overQuota,
  herd,
  greedy,
  revoked,
  oversized,
  fuzzed,
  poison,
  versions,
];
