import { Elysia } from "elysia";
import type { AppDeps } from "./app.ts";
import type { Gatekeeper } from "./http/access.ts";
import { Seats } from "./http/limit/seats.ts";
import { ADDRESS_LIMITS, createThrottle } from "./http/limit/throttle.ts";
import { busRoutes } from "./modules/bus/routes.ts";
import type { ChangeDeps } from "./modules/change.ts";
import { inTurn } from "./modules/commands/in-turn.ts";
import { commandRoutes } from "./modules/commands/routes.ts";
import { enrolmentRoutes } from "./modules/enrolments/routes.ts";
import { CLAIMS_AT_ONCE } from "./modules/enrolments/service.ts";
import { fieldRoutes } from "./modules/field/routes.ts";
import { fleetRoutes } from "./modules/fleet/routes.ts";
import { gatewayRoutes } from "./modules/gateways/routes.ts";
import { sparkplugRoutes } from "./modules/gateways/sparkplug-routes.ts";
import { machineCertificateRoutes } from "./modules/machine-certificates/routes.ts";
import { manifestRoutes } from "./modules/manifests/routes.ts";
import { writeRoutes } from "./modules/writes/routes.ts";
import { claimPin } from "./tls/hub-tls.ts";

/** Everything about gateways: who they are, what they run, what they are asked to do and to try. */
export function gatewayAppRoutes(
  { database: { db, sql }, ingest: { sessions, latest, answers }, identity, clock, publicUrl, tls }: AppDeps,
  change: ChangeDeps & { gatekeeper: Gatekeeper },
) {
  // One turn for both: a gateway takes no number below one it has.
  const commands = { ...change, link: sessions, identity, inTurn: inTurn() };
  const throttle = createThrottle(ADDRESS_LIMITS, clock);
  const seats = new Seats(CLAIMS_AT_ONCE);
  return new Elysia()
    .use(gatewayRoutes({ ...change, sessions, publicUrl, hubPin: () => claimPin(tls) }))
    .use(sparkplugRoutes(change))
    .use(commandRoutes(commands))
    .use(writeRoutes({ ...commands, cache: latest.cache, answers }))
    .use(fieldRoutes({ ...change, link: sessions, hubId: identity.hubId, met: sessions.certificates }))
    .use(busRoutes({ link: sessions, db, gatekeeper: change.gatekeeper }))
    .use(machineCertificateRoutes(change))
    .use(fleetRoutes({ ...change, sql, sessions, identity, publicUrl }))
    .use(manifestRoutes({ db, gatekeeper: change.gatekeeper }))
    .use(enrolmentRoutes({ ...change, identity, sessions, throttle, seats }));
}
