import { AppError } from "@millrace/contract/error/app-error";
import { isLoopback } from "@millrace/contract/std/loopback";

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

const refused = (what: string) =>
  new AppError("auth.originRefused", `This request does not come from the hub's own pages: ${what}.`);

/**
 * The origins of the hub's own pages. One public address; on loopback all three spellings of it, because people type
 * any of them and none can be reached from elsewhere.
 */
export function ownOrigins(publicUrl: string): string[] {
  const url = new URL(publicUrl);
  if (!isLoopback(url.hostname)) return [url.origin];
  const port = url.port === "" ? "" : `:${url.port}`;
  return ["localhost", "127.0.0.1", "[::1]"].map((host) => `${url.protocol}//${host}${port}`);
}

/**
 * Refuses what another site makes a browser send. A request with an API key is no browser's doing. With a cookie the
 * browser must say where the request comes from; without one it must at least not say "elsewhere".
 *
 * @throws AppError `auth.originRefused`
 */
export function checkSameOrigin(request: Request, origins: readonly string[]): void {
  if (SAFE_METHODS.has(request.method) || request.headers.has("authorization")) return;
  const origin = request.headers.get("origin");
  const site = request.headers.get("sec-fetch-site");
  if (origin !== null && !origins.includes(origin)) throw refused("its Origin is another one");
  if (site !== null && site !== "same-origin" && site !== "none") throw refused(`Sec-Fetch-Site is ${site}`);
  if (origin === null && site === null && request.headers.has("cookie")) {
    throw refused("it has a cookie but neither Origin nor Sec-Fetch-Site");
  }
}

/**
 * For WebSocket upgrades by browsers. A browser always sends Origin and no page can change it, so one that is missing
 * is refused too.
 *
 * @throws AppError `auth.originRefused`
 */
export function checkUpgradeOrigin(request: Request, origins: readonly string[]): void {
  const origin = request.headers.get("origin");
  if (origin === null || !origins.includes(origin)) throw refused("a socket needs this hub's own Origin");
}
