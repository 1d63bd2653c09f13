import { networkHosts } from "@millrace/contract/driver/network";
import { AppError } from "@millrace/contract/error/app-error";
import type { ErrorCode } from "@millrace/contract/error/code";
import type { FieldFound, FieldScan, FieldTried } from "@millrace/contract/wire/field";
import { isLinkCode } from "../supervisor/cause.ts";
import { type TrialDeps, tryField } from "./trial.ts";

/** Addresses tried at one moment: a plant's network has machines that a flood of connections would stop. */
export const SCAN_AT_ONCE = 16;

/**
 * Looks which addresses of a private network answer this driver: one connection and one harmless question each, few at
 * a time. A device that runs already is asked over its own line.
 * @throws AppError `field.unsupported` for a driver that cannot be looked for, `request.invalid` for a network that may
 *   not be searched, `setting.wrong`; the reason of the signal
 */
export async function scanNetwork(
  deps: TrialDeps,
  body: FieldScan,
  signal: AbortSignal,
): Promise<FieldTried<"scan">> {
  const { scan, label } = deps.driverOf(body.driver);
  if (scan === undefined)
    throw new AppError("field.unsupported", `${label} devices cannot be looked for in a network.`);
  const hosts = networkHosts(body.network);
  const found = new Map<number, FieldFound>();
  const quiet = { ...deps, onStage: () => undefined };
  let asked = 0;
  const look = async () => {
    for (let at = asked++; at < hosts.length; at = asked++) {
      signal.throwIfAborted();
      deps.onStage(`looking at ${hosts[at]}`);
      const settings = { ...body.settings, ...scan.settings, [scan.host]: hosts[at] };
      const tried = await tryField(quiet, { kind: "connection", driver: body.driver, settings }, signal);
      const one = tried.kind === "connection" ? foundAt(hosts[at]!, tried) : null;
      if (one !== null) found.set(at, one);
    }
  };
  await Promise.all(Array.from({ length: SCAN_AT_ONCE }, look));
  const inOrder = [...found].sort(([a], [b]) => a - b).map(([, one]) => one);
  return { kind: "scan", asked: hosts.length, found: inOrder };
}

/** Who takes no connection is nobody; who takes one and then says nothing is somebody, perhaps of another unit number. */
function foundAt(host: string, tried: FieldTried<"connection">): FieldFound | null {
  const { ok, shared, roundTripMs, cause } = tried;
  if (!ok && (cause === undefined || isLinkCode(cause.code as ErrorCode))) return null;
  return { host, ok, shared, roundTripMs, ...(cause === undefined ? {} : { cause }) };
}
