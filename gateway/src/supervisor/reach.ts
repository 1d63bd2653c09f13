import type { Cause } from "./cause.ts";
import type { Connection } from "./connection.ts";
import type { PreparedDevice } from "./prepare.ts";

/** How a device is reached: prepared and with its connection, or the reason why it cannot be. */
export type Reach =
  | { ok: true; prepared: PreparedDevice; connection: Connection }
  | { ok: false; cause: Cause };
