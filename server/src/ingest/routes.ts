import { AppError } from "@millrace/contract/error/app-error";
import { ROUTE } from "@millrace/contract/wire/route";
import type { ServerWebSocket } from "bun";
import { Elysia } from "elysia";
import { access, type Gatekeeper } from "../http/access.ts";
import { addressBucket } from "../http/address.ts";
import type { RequestLimits } from "../http/limit/request-limits.ts";
import { Seats } from "../http/limit/seats.ts";
import { requestFrom } from "../http/request-from.ts";
import { CLOSE } from "./close-code.ts";
import { GatewaySession, type SessionDeps } from "./session.ts";

/**
 * Sockets that have not proved anything yet; more are turned away at the door. A thousand gateways may come back from
 * behind one address, and whoever holds places from one address leaves as many to the others.
 */
export const STRANGERS = { perAddressMax: 1_024, max: 2_048, retryAfterS: 5 } as const;

/**
 * The gateways' door. No cookie and no API key counts here: a gateway proves itself inside the session. A request with
 * an Origin comes from a browser, and no page has business here.
 */
export const uplinkRoutes = (
  deps: SessionDeps & { gatekeeper: Gatekeeper; limits: Pick<RequestLimits, "refused"> },
) => {
  const seats = new Seats({
    perNameMax: [STRANGERS.perAddressMax],
    allMax: STRANGERS.max,
    retryAfterS: STRANGERS.retryAfterS,
  });
  const takeSeat = (address: string): (() => void) => {
    try {
      return seats.take(addressBucket(address));
    } catch (thrown) {
      deps.limits.refused("sockets");
      throw thrown;
    }
  };
  return new Elysia().use(access(deps.gatekeeper)).get(
    ROUTE.uplink,
    ({ request, server }) => {
      if (request.headers.has("origin")) {
        throw new AppError(
          "auth.originRefused",
          "The uplink is for gateways; a browser has no business here.",
        );
      }
      const from = requestFrom(request, server);
      const leaveSeat = takeSeat(from.address);
      let session: GatewaySession | null = null;
      const data = {
        open(socket: ServerWebSocket) {
          session = new GatewaySession(deps, {
            send: (text) => socket.send(text) !== 0,
            close: (code, reason) => socket.close(code, reason),
            from,
          });
          deps.sessions.opened(session);
          session.opened();
        },
        message(_socket: ServerWebSocket, message: string | Uint8Array) {
          session?.heard(message);
          if (session?.gatewayId) leaveSeat();
        },
        ping: () => session?.counts(),
        close() {
          leaveSeat();
          void session?.closed();
        },
      };
      if (server?.upgrade(request, { data: data as never })) return;
      leaveSeat();
      throw new AppError(
        "uplink.protocol",
        `Expected a WebSocket upgrade; the close codes begin at ${CLOSE.protocol}.`,
      );
    },
    {
      open: "a gateway proves itself inside the session by its key",
      detail: { summary: "Gateway uplink (WebSocket)", tags: ["Gateways"] },
    },
  );
};
