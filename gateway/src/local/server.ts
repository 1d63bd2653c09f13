import { getLogger } from "@logtape/logtape";
import { AppError, asAppError } from "@millrace/contract/error/app-error";
import { ERROR } from "@millrace/contract/error/code";
import { LIVE_SCRIPT } from "./live-script.ts";
import { metricsText } from "./metrics.ts";
import { statusPage, tagsPage } from "./pages.ts";
import { STYLE } from "./style.ts";
import type { LocalView } from "./view.ts";

const log = getLogger(["gateway", "local"]);

export interface LocalServerInput {
  host: string;
  port: number;
  /** Further host names to answer to. */
  names: readonly string[];
  view: () => Promise<LocalView>;
}

export interface LocalServer {
  url: string;
  stop(): Promise<void>;
}

const HEADERS = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
} as const;

/**
 * The page for the technician at the cabinet and the figures for collectors. Read-only: nothing here changes anything,
 * so nothing here asks who you are. A foreign Host header is refused, so that a web page elsewhere cannot read this one
 * by pointing its own name at us (DNS rebinding).
 *
 * @throws AppError `setting.wrong` when the port is taken
 */
export function startLocalServer(input: LocalServerInput): LocalServer {
  const allowed = new Set(["localhost", "127.0.0.1", "[::1]", bare(input.host), ...input.names.map(bare)]);
  try {
    const server = Bun.serve({
      hostname: input.host,
      port: input.port,
      fetch: (request) => answer(request, allowed, input.view),
      error: (thrown) => problem(asAppError(thrown)),
    });
    return { url: server.url.href, stop: () => server.stop(true) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AppError(
      "setting.wrong",
      `MILLRACE_LOCAL_PORT: cannot listen at ${input.host}:${input.port}: ${why}`,
      { cause, context: { setting: "MILLRACE_LOCAL_PORT" } },
    );
  }
}

const bare = (host: string): string =>
  (host.includes(":") && !host.startsWith("[") ? `[${host}]` : host).toLowerCase();

/** Host header without its port. */
const hostOf = (header: string): string => header.toLowerCase().replace(/:\d+$/, "");

async function answer(
  request: Request,
  allowed: ReadonlySet<string>,
  view: () => Promise<LocalView>,
): Promise<Response> {
  try {
    if (!allowed.has(hostOf(request.headers.get("host") ?? ""))) {
      const message = "This page does not answer to that host name; MILLRACE_LOCAL_NAMES may add it.";
      return problem(new AppError("auth.originRefused", message), 421);
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      return problem(new AppError("request.invalid", "Only GET and HEAD are answered here."), 405, {
        allow: "GET, HEAD",
      });
    }
    const response = await route(new URL(request.url), view);
    return request.method === "HEAD" ? new Response(null, response) : response;
  } catch (thrown) {
    log.error("local page failed: {error}", { error: thrown });
    return problem(asAppError(thrown));
  }
}

const text = (body: string, type: string, status = 200): Response =>
  new Response(body, { status, headers: { ...HEADERS, "content-type": type } });
const HTML = "text/html; charset=utf-8";
const PLAIN = "text/plain; charset=utf-8";

async function route(url: URL, view: () => Promise<LocalView>): Promise<Response> {
  switch (url.pathname) {
    case "/":
      return text(statusPage(await view()).text, HTML);
    case "/tags":
      return text(tagsPage(await view(), url.searchParams.get("q") ?? "").text, HTML);
    case "/style.css":
      return text(STYLE, "text/css; charset=utf-8");
    case "/live.js":
      return text(LIVE_SCRIPT, "text/javascript; charset=utf-8");
    case "/api/v1/status":
      return text(JSON.stringify(statusJson(await view())), "application/json");
    case "/livez":
      return text("ok\n", PLAIN);
    case "/readyz": {
      // Ready means: what is read can be kept. Neither the hub nor a device decides about it.
      const { durable } = (await view()).status.outbox;
      return text(durable ? "ok\n" : "the disk refuses\n", PLAIN, durable ? 200 : 503);
    }
    case "/metrics": {
      const metrics = await metricsText(await view());
      return text(metrics.text, metrics.type);
    }
    default:
      return problem(new AppError("route.unknown", `There is nothing at ${url.pathname.slice(0, 200)}.`));
  }
}

function statusJson(view: LocalView) {
  const { gatewayId, gatewayName, status, hub, machine, manifestProblem } = view;
  return { gatewayId, gatewayName, status, hub, machine, manifestProblem };
}

/** RFC 9457. */
function problem(
  error: AppError,
  status: number = ERROR[error.code].status,
  headers: Record<string, string> = {},
): Response {
  const hidden = error.code === "internal.bug";
  const body = {
    type: "about:blank",
    title: error.code,
    status,
    code: error.code,
    detail: hidden ? "The gateway hit an error of its own; its log says more." : error.message,
    nextStep: ERROR[error.code].nextStep,
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...HEADERS, ...headers, "content-type": "application/problem+json" },
  });
}
