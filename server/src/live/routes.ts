import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import type { ServerWebSocket } from "bun";
import { Elysia } from "elysia";
import type { Db } from "../db/client.ts";
import { access, type Gatekeeper, inReach, requirePermission } from "../http/access.ts";
import { checkUpgradeOrigin } from "../http/origin.ts";
import { reachOf } from "../http/principal.ts";
import { unknownTags } from "../modules/tags/service.ts";
import type { FanOut } from "./fan-out.ts";
import { findSeenGateways } from "./sight-store.ts";
import type { Sight, Subscriber } from "./subscriber.ts";

export interface LiveDeps {
  db: Db;
  fanOut: FanOut;
  gatekeeper: Gatekeeper;
  clock: Clock;
  origins: () => readonly string[];
}

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
  const sight: Sight = {
    unknown: async (tagNos) => {
      const where = await reach();
      return where === "whole" ? [] : await unknownTags(db, tagNos, where);
    },
    gateways: async (tagNos) => {
      const where = await reach();
      return where === "whole" ? null : await findSeenGateways(db, tagNos, where);
    },
  };
  const stillAllowed = async (): Promise<boolean> => {
    try {
      return JSON.stringify(await reach()) === first;
    } catch (thrown) {
      if (thrown instanceof AppError && (thrown.code === "auth.required" || thrown.code === "auth.forbidden"))
        return false;
      throw thrown;
    }
  };
  return { sight, stillAllowed };
}

/** `/api/v1/live`: see `wire/live.ts` of the contract. A browser needs our Origin; a program shows an API key. */
export const liveRoutes = ({ db, fanOut, gatekeeper, clock, origins }: LiveDeps) =>
  new Elysia().use(access(gatekeeper)).get(
    "/api/v1/live",
    ({ request, server }) => {
      const headers = new Headers(request.headers);
      if (!headers.has("authorization")) checkUpgradeOrigin(request, origins());
      let subscriber: Subscriber | null = null;
      const data = {
        open(socket: ServerWebSocket) {
          const port = {
            send: (text: string) => socket.send(text) !== 0,
            bufferedBytes: () => socket.getBufferedAmount(),
            close: (code: number, reason: string) => socket.close(code, reason),
          };
          const { sight, stillAllowed } = watchOf(db, gatekeeper, headers);
          subscriber = fanOut.join(port, sight, stillAllowed);
        },
        message: (_socket: ServerWebSocket, message: string | Uint8Array) =>
          subscriber?.heard(message, clock.monoMs(), clock.nowMs()),
        close: () => subscriber && fanOut.leave(subscriber),
      };
      if (server?.upgrade(request, { data: data as never })) return;
      throw new AppError("request.malformed", "Expected a WebSocket upgrade.");
    },
    { can: inReach("sample.read"), detail: { summary: "Live values (WebSocket)", tags: ["Samples"] } },
  );
