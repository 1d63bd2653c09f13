import { AppError } from "@millrace/contract/error/app-error";
import { Elysia } from "elysia";
import { access, type Gatekeeper } from "../../http/access.ts";
import { askerOf } from "../people/people.ts";
import type { Sso } from "./service.ts";

/** The one address of better-auth that answers to the network. */
export const SSO_CALLBACK = "/api/auth/callback/sso";

export const ssoRoutes = ({ sso, gatekeeper }: { sso: Sso | null; gatekeeper: Gatekeeper }) =>
  new Elysia().use(access(gatekeeper)).get(
    SSO_CALLBACK,
    async ({ request, server }) => {
      if (sso === null) throw new AppError("route.unknown", "This hub has no single sign-on.");
      const { location, cookies } = await sso.finish(askerOf(request, server), new URL(request.url).search);
      const headers = new Headers({ location, "cache-control": "no-store" });
      for (const cookie of cookies) headers.append("set-cookie", cookie);
      return new Response(null, { status: 302, headers });
    },
    { open: "the browser comes back from the single sign-on, with its state", detail: { hide: true } },
  );
