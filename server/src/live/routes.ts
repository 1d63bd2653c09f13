import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import { LIVE_PATH } from "@millrace/contract/wire/live";
import type { ServerWebSocket } from "bun";
import { Elysia } from "elysia";
import type { Db } from "../db/client.ts";
import { access, type Gatekeeper, inReach, requirePermission } from "../http/access.ts";
import { addressBucket } from "../http/address.ts";
import { checkUpgradeOrigin } from "../http/origin.ts";
import { type Principal, whoOf } from "../http/principal.ts";
import { addressOf } from "../http/request-from.ts";
import type { RequestLimits } from "../http/request-limits.ts";
import { Seats } from "../http/seats.ts";
import type { FanOut } from "./fan-out.ts";
import { originAudit } from "./refused-origin.ts";
import { LIVE, type Subscriber } from "./subscriber.ts";

export interface LiveDeps {
  fanOut: FanOut;
  gatekeeper: Gatekeeper;
  clock: Clock;
  origins: () => readonly string[];
  limits: Pick<RequestLimits, "refused">;
  /** For the audit of refused pages. */
  db: Db;
}

/** True while this request's cookie or key may still watch values. */
async function allowed(gatekeeper: Gatekeeper, headers: Headers): Promise<boolean> {
  try {
    await requirePermission(gatekeeper, headers, inReach("sample.read"));
    return true;
  } catch (thrown) {
    if (thrown instanceof AppError && (thrown.code === "auth.required" || thrown.code === "auth.forbidden"))
      return false;
    throw thrown;
  }
}

/** `LIVE_PATH`: see `wire/live.ts` of the contract. A browser needs our Origin; a program shows an API key. */
export const liveRoutes = ({ fanOut, gatekeeper, clock, origins, limits, db }: LiveDeps) => {
  const seats = new Seats({
    perNameMax: [LIVE.socketsPerAccountMax, LIVE.socketsPerAddressMax],
    allMax: LIVE.socketsMax,
    retryAfterS: LIVE.fullRetryAfterS,
  });
  const audit = originAudit({ db, clock });
  /** A page cannot set Authorization on a socket, so a request with a key is no browser's. */
  const checkOrigin = async (request: Request, principal: Principal): Promise<void> => {
    if (request.headers.has("authorization")) return;
    try {
      checkUpgradeOrigin(request, origins());
    } catch (thrown) {
      await audit(principal, request.headers.get("origin"));
      throw thrown;
    }
  };
  const takeSeat = (principal: Principal, address: string): (() => void) => {
    try {
      return seats.take(whoOf(principal), addressBucket(address));
    } catch (thrown) {
      limits.refused("sockets");
      throw thrown;
    }
  };
  return new Elysia().use(access(gatekeeper)).get(
    LIVE_PATH,
    async ({ request, server, principal }) => {
      await checkOrigin(request, principal);
      const headers = new Headers(request.headers);
      const leaveSeat = takeSeat(principal, addressOf(request, server));
      let subscriber: Subscriber | null = null;
      const data = {
        open(socket: ServerWebSocket) {
          const port = {
            send: (text: string) => socket.send(text) !== 0,
            bufferedBytes: () => socket.getBufferedAmount(),
            close: (code: number, reason: string) => socket.close(code, reason),
          };
          subscriber = fanOut.join(port, () => allowed(gatekeeper, headers));
        },
        message: (_socket: ServerWebSocket, message: string | Uint8Array) =>
          subscriber?.heard(message, clock.monoMs(), clock.nowMs()),
        ping: () => subscriber?.counts(clock.monoMs()),
        close() {
          leaveSeat();
          if (subscriber) fanOut.leave(subscriber);
        },
      };
      if (server?.upgrade(request, { data: data as never })) return;
      leaveSeat();
      throw new AppError("request.malformed", "Expected a WebSocket upgrade.");
    },
    { can: inReach("sample.read"), detail: { summary: "Live values (WebSocket)", tags: ["Samples"] } },
  );
};
