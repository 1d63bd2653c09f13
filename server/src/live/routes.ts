import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import type { ServerWebSocket } from "bun";
import { Elysia } from "elysia";
import { access, type Gatekeeper, inReach, requirePermission } from "../http/access.ts";
import { checkUpgradeOrigin } from "../http/origin.ts";
import type { FanOut } from "./fan-out.ts";
import type { Subscriber } from "./subscriber.ts";

export interface LiveDeps {
  fanOut: FanOut;
  gatekeeper: Gatekeeper;
  clock: Clock;
  origins: () => readonly string[];
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

/** `/api/v1/live`: see `wire/live.ts` of the contract. A browser needs our Origin; a program shows an API key. */
export const liveRoutes = ({ fanOut, gatekeeper, clock, origins }: LiveDeps) =>
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
          subscriber = fanOut.join(port, () => allowed(gatekeeper, headers));
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
