import { AppError } from "@millrace/contract/error/app-error";
import { errorResponse } from "../http/error-response.ts";
import { securityHeaders } from "../http/headers.ts";
import { type HubTls, trustAnswer } from "./hub-tls.ts";

const CHALLENGE = "/.well-known/acme-challenge/";
const NOT_PAGES = /^\/(api|docs|livez|readyz|metrics|assets)(\/|$)/;
const IDLE_S = 10;
const BODY_BYTES_MAX = 64 * 1024;

/**
 * What the plain port answers. It leads people to https and refuses programs, because one that is redirected has sent
 * its key in the clear already and would never notice.
 * @param answers what an ACME authority asks for, by token
 */
export function plainAnswer(request: Request, tls: HubTls, answers: ReadonlyMap<string, string>): Response {
  const { pathname, search } = new URL(request.url);
  const reading = request.method === "GET" || request.method === "HEAD";
  if (reading && pathname.startsWith(CHALLENGE)) {
    const answer = answers.get(pathname.slice(CHALLENGE.length));
    if (answer !== undefined)
      return new Response(answer, { headers: { "content-type": "application/octet-stream" } });
    return errorResponse(new AppError("route.unknown", "There is nothing at this address."), request);
  }
  if (reading && (pathname === "/trust" || pathname.startsWith("/trust/"))) {
    const answer = trustAnswer(tls, pathname);
    if (answer !== null) return answer;
  }
  const wantsPage = request.headers.get("accept")?.includes("text/html") ?? false;
  if (reading && wantsPage && !NOT_PAGES.test(pathname)) {
    // To our own name, never to the one in the request. A browser would keep a stored 308 when TLS is off again.
    const location = new URL(tls.publicUrl()).origin + pathname + search;
    return new Response(null, { status: 308, headers: { location, "cache-control": "no-store" } });
  }
  const refusal = new AppError("request.plain", `This is the plain port. The hub is at ${tls.publicUrl()}.`);
  return errorResponse(refusal, request);
}

/** Opens the plain port. @throws when it is taken */
export function startPlain(
  address: { hostname: string; port: number },
  tls: HubTls,
  answers: ReadonlyMap<string, string>,
) {
  const headers = Object.entries(securityHeaders(0));
  return Bun.serve({
    ...address,
    reusePort: false,
    idleTimeout: IDLE_S,
    maxRequestBodySize: BODY_BYTES_MAX,
    fetch(request) {
      const response = plainAnswer(request, tls, answers);
      for (const [name, value] of headers) response.headers.set(name, value);
      return response;
    },
  });
}
