import { AppError } from "@millrace/contract/error/app-error";
import type { ErrorCode } from "@millrace/contract/error/code";
import type { Clock } from "@millrace/contract/std/clock";
import { LIVE_PATH } from "@millrace/contract/wire/live";
import type { ServerWebSocket } from "bun";
import { Elysia } from "elysia";
import type { Db } from "../db/client.ts";
import { access, type Gatekeeper, inReach, requirePermission } from "../http/access.ts";
import { addressBucket } from "../http/address.ts";
import type { RequestLimits } from "../http/limit/request-limits.ts";
import { Seats } from "../http/limit/seats.ts";
import { checkUpgradeOrigin } from "../http/origin.ts";
import { type Principal, reachOf, whoOf } from "../http/principal.ts";
import { addressOf } from "../http/request-from.ts";
import { unknownTags } from "../modules/tags/service.ts";
import type { FanOut } from "./fan-out.ts";
import { findSeenGateways } from "./sight-store.ts";
import { LIVE, type Look, type Subscriber } from "./subscriber.ts";

export interface LiveDeps {
  db: Db;
  fanOut: FanOut;
  gatekeeper: Gatekeeper;
  clock: Clock;
  origins: () => readonly string[];
  limits: Pick<RequestLimits, "refused">;
}

const REFUSED: ReadonlySet<ErrorCode> = new Set(["auth.required", "auth.forbidden", "auth.mustEnrol"]);

/**
 * What this request's cookie or key may watch, asked anew each time: a socket stays open for days. One whose reach became
 * another is ended; the browser comes back and subscribes by what it may see now.
 */
function watchOf(db: Db, gatekeeper: Gatekeeper, headers: Headers) {
  let first: string | null = null;
  const reach = async () => {
    const principal = await requirePermission(gatekeeper, headers, inReach("sample.read"));
    const found = reachOf(principal, "sample.read");
    first ??= JSON.stringify(found);
    return found;
  };
  const look: Look = async (tagNos) => {
    const where = await reach();
    if (where === "whole") return { unknown: [], gateways: null };
    const [unknown, gateways] = await Promise.all([
      unknownTags(db, tagNos, where),
      findSeenGateways(db, tagNos, where),
    ]);
    return { unknown, gateways };
  };
  const stillAllowed = async (): Promise<boolean> => {
    try {
      return JSON.stringify(await reach()) === first;
    } catch (thrown) {
      if (thrown instanceof AppError && REFUSED.has(thrown.code)) return false;
      throw thrown;
    }
  };
  return { look, stillAllowed };
}

/** `LIVE_PATH`: see `wire/live.ts` of the contract. A browser needs our Origin; a program shows an API key. */
export const liveRoutes = ({ fanOut, gatekeeper, clock, origins, limits, db }: LiveDeps) => {
  const seats = new Seats({
    perNameMax: [LIVE.socketsPerAccountMax, LIVE.socketsPerAddressMax],
    allMax: LIVE.socketsMax,
    retryAfterS: LIVE.fullRetryAfterS,
  });
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
      // A page cannot set Authorization on a socket, so a request with a key is no browser's.
      if (!request.headers.has("authorization")) checkUpgradeOrigin(request, origins());
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
          const { look, stillAllowed } = watchOf(db, gatekeeper, headers);
          subscriber = fanOut.join(port, look, stillAllowed);
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
