import type { Diagnose } from "../driver/doctor.ts";
import type { AnyDriver } from "../driver/registry.ts";
import type { Cause } from "../supervisor/cause.ts";
import type { Link } from "../supervisor/link.ts";
import type { Member } from "../supervisor/member.ts";
import type { LineFigures } from "./line-meter.ts";

/** What a connection shows the bus doctor. */
export interface Chart {
  key: string;
  driver: AnyDriver;
  link: Link;
  /** The link as a sentence. */
  reason: string;
  /** Why it was lost last, or could not be had; null when it never was. */
  failure: Cause | null;
  /** Devices of the running configuration. */
  members: readonly Member[];
  figures: LineFigures;
  learned: readonly string[];
  note: string;
  /** The driver's own rules; none before its session was made. */
  diagnose: Diagnose | undefined;
  /** What the session itself told, for the driver's own rules. */
  session: Readonly<Record<string, number>>;
}
