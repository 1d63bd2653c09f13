import { AppError } from "@millrace/contract/error/app-error";
import { ROUTE } from "@millrace/contract/wire/route";
import type { ServerWebSocket } from "bun";
import { Elysia } from "elysia";
import { access, type Gatekeeper } from "../http/access.ts";
import { requestFrom } from "../http/request-from.ts";
import { CLOSE } from "./close-code.ts";
import { GatewaySession, type SessionDeps } from "./session.ts";

/** Sockets that have not proved anything yet, over all strangers; more are turned away at the door. */
export const STRANGERS_MAX = 1_024;

/**
 * The gateways' door. No cookie and no API key counts here: a gateway proves itself inside the session. A request with
 * an Origin comes from a browser, and no page has business here.
 */
export const uplinkRoutes = (deps: SessionDeps & { gatekeeper: Gatekeeper }) => {
  let strangers = 0;
  return new Elysia().use(access(deps.gatekeeper)).get(
    ROUTE.uplink,
    ({ request, server }) => {
      if (request.headers.has("origin")) {
        throw new AppError(
          "auth.originRefused",
          "The uplink is for gateways; a browser has no business here.",
        );
      }
      if (strangers >= STRANGERS_MAX)
        throw new AppError("request.tooMany", "Too many gateways knock at once.");
      const from = requestFrom(request, server);
      let session: GatewaySession | null = null;
      let counted = true;
      const known = () => {
        if (counted) strangers--;
        counted = false;
      };
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
          if (session?.gatewayId) known();
        },
        close() {
          known();
          void session?.closed();
        },
      };
      if (server?.upgrade(request, { data: data as never })) {
        strangers++;
        return;
      }
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
