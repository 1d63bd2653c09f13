import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";

/** How long a driver has to obey an abort. */
export const OBEY_MS = 2_000;

export interface ObeyInput {
  clock: Clock;
  /** Whose driver it is, for the words. */
  key: string;
  msMax: number;
  outer?: AbortSignal | undefined;
  /** Hears that the driver went on all the same. */
  disown(error: AppError): void;
}

/** Runs a call of a driver with a limit; a driver that ignores the abort loses its session, we do not hang. */
export async function withinLimit<T>(
  { clock, key, msMax, outer, disown }: ObeyInput,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  let disobeyed: () => void = () => {};
  const late = new Promise<never>((_, reject) => {
    disobeyed = () => {
      const cause = new AppError("link.lost", `${key}: the driver did not finish in time`);
      disown(cause);
      reject(cause);
    };
  });
  late.catch(() => undefined);
  let cancelObey = () => {};
  const abort = (reason: unknown) => {
    limit.abort(reason);
    cancelObey = clock.after(OBEY_MS, disobeyed);
  };
  const onOuter = () => abort(outer?.reason);
  outer?.addEventListener("abort", onOuter, { once: true });
  const overtime = new AppError("link.lost", `${key} took longer than ${msMax} ms`);
  const cancelLimit = clock.after(msMax, () => abort(overtime));
  try {
    return await Promise.race([run(limit.signal), late]);
  } finally {
    outer?.removeEventListener("abort", onOuter);
    cancelLimit();
    cancelObey();
  }
}
