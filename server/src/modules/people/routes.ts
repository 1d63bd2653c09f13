import { Elysia } from "elysia";
import { apiKeyRoutes } from "../api-keys/routes.ts";
import { invitationRoutes } from "../invitations/routes.ts";
import { roleRoutes } from "../roles/routes.ts";
import { sharedDeviceRoutes } from "../shared-devices/routes.ts";
import { ssoRoutes } from "../sso/routes.ts";
import { meRoutes } from "./me-routes.ts";
import { managePeopleRoutes } from "./people-routes.ts";
import { type SignInDeps, signInRoutes, signOutRoutes } from "./sign-in/routes.ts";

/** Everything about people: the ways in, one's own account, other people, their roles and keys. */
export const peopleRoutes = (deps: SignInDeps) =>
  new Elysia()
    .use(signInRoutes(deps))
    .use(signOutRoutes(deps))
    .use(ssoRoutes(deps))
    .use(meRoutes(deps))
    .use(managePeopleRoutes(deps))
    .use(roleRoutes(deps))
    .use(invitationRoutes(deps))
    .use(apiKeyRoutes(deps))
    .use(sharedDeviceRoutes(deps));
