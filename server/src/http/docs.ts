import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { toOpenAPISchema } from "@elysiajs/openapi";
import { type AnyElysia, Elysia } from "elysia";
import { access, type Gatekeeper } from "./access.ts";
import { CSP_DOCS } from "./headers.ts";

const SCRIPT = join(
  dirname(createRequire(import.meta.url).resolve("@scalar/api-reference/package.json")),
  "dist/browser/standalone.js",
);

/** Everything the page needs comes from this hub: a plant without Internet reads it just as well. */
const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>Millrace API</title>
</head>
<body>
<div id="app"></div>
<script src="/docs/reference.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const START = `Scalar.createApiReference("#app", {
  url: "/docs/json",
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  showDeveloperTools: "never",
  agent: { disabled: true },
  mcp: { disabled: true },
});
`;

const INFO = {
  title: "Millrace hub",
  version: "1",
  description:
    "One hub, any number of gateways. Send an API key as `Authorization: Bearer <key>`. Errors are RFC 9457 problem " +
    "details; `code` says what happened and `nextStep` what to do. Each operation names its permission as `x-permission` and where it must be held as `x-where`.",
};

/**
 * The application as the description should see it. Bodies are parsed by one parser of ours, of which the generator
 * cannot know what it reads: it would describe no body at all.
 */
function describedAsJson(app: AnyElysia): AnyElysia {
  const getGlobalRoutes = () =>
    app.routes.map((route) => ({ ...route, hooks: { ...route.hooks, parse: [{ fn: "json" }] } }));
  return Object.create(app, { getGlobalRoutes: { value: getGlobalRoutes } });
}

/** `whole` gives the finished application, whose routes the document describes. */
export const docsRoutes = (gatekeeper: Gatekeeper, whole: () => AnyElysia) => {
  let document: string | null = null;
  const openapi = () => {
    document ??= JSON.stringify({
      openapi: "3.1.2",
      info: INFO,
      ...toOpenAPISchema(
        describedAsJson(whole()),
        { paths: [/^\/docs/, "/*", "/", "/api/auth/*", "/api/*"] },
        undefined,
        undefined,
        "3.1.2",
      ),
      security: [{ apiKey: [] }],
    });
    return document;
  };
  const reason = "describes the API and holds no data";
  const script = { "content-type": "text/javascript; charset=utf-8" };
  return new Elysia({ detail: { hide: true } })
    .use(access(gatekeeper))
    .get(
      "/docs",
      ({ set }) => {
        set.headers["content-security-policy"] = CSP_DOCS;
        return new Response(PAGE, {
          headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-cache" },
        });
      },
      { open: reason },
    )
    .get(
      "/docs/start.js",
      () => new Response(START, { headers: { ...script, "cache-control": "no-cache" } }),
      {
        open: reason,
      },
    )
    .get(
      "/docs/reference.js",
      () =>
        new Response(Bun.file(SCRIPT), { headers: { ...script, "cache-control": "public, max-age=86400" } }),
      { open: reason },
    )
    .get("/docs/json", () => new Response(openapi(), { headers: { "content-type": "application/json" } }), {
      open: reason,
    });
};
