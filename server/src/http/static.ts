import { createHash } from "node:crypto";
import { realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import { AppError } from "@millrace/contract/error/app-error";
import { Elysia } from "elysia";
import { access, type Gatekeeper } from "./access.ts";

/** Files of the web application; small enough to keep all of them packed. */
const packedBytesMax = 32 * 1024 * 1024;
const packBytesMin = 1_024;
const PACKABLE = /\.(html|js|css|svg|json|webmanifest|map|txt)$/;
/** Their names hold a hash of their content (Vite), so they never change. */
const IMMUTABLE = /^\/assets\//;
const NOT_PAGES = /^\/(api|docs|livez|readyz|metrics|assets|\.well-known)(\/|$)/;

const ABSENT =
  "The web application is not built yet. Run `bun run build` in the repository, then reload. The API works without it; see /docs.\n";

const brotli = promisify(brotliCompress);

interface Packed {
  bytes: Uint8Array;
  etag: string;
  mtimeMs: number;
}

/** The real file behind a path of the address, or null. What leads out of the folder, by dots or by a link, is null. */
async function fileOf(folder: string, pathname: string): Promise<string | null> {
  let name: string;
  try {
    name = decodeURIComponent(pathname);
  } catch {
    return null;
  }
  if (name.includes("\0") || name.includes("\\")) return null;
  try {
    const root = await realpath(folder);
    const file = await realpath(join(root, name));
    return file.startsWith(root + sep) && (await stat(file)).isFile() ? file : null;
  } catch {
    return null;
  }
}

/** Serves the built web application from `folder`; pages that only the application knows get its `index.html`. */
export function createStatic(folder: string) {
  const packed = new Map<string, Packed>();
  let packedBytes = 0;

  const pack = async (file: string, mtimeMs: number): Promise<Packed> => {
    const found = packed.get(file);
    if (found !== undefined && found.mtimeMs === mtimeMs) return found;
    const plain = await Bun.file(file).bytes();
    const bytes = await brotli(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } });
    const etag = `"${createHash("sha256").update(plain).digest("base64url").slice(0, 22)}"`;
    const fresh = { bytes, etag, mtimeMs };
    packedBytes += bytes.length - (found?.bytes.length ?? 0);
    if (packedBytes > packedBytesMax) {
      packed.clear();
      packedBytes = bytes.length;
    }
    packed.set(file, fresh);
    return fresh;
  };

  const send = async (file: string, pathname: string, request: Request): Promise<Response> => {
    const blob = Bun.file(file);
    const headers: Record<string, string> = {
      "content-type": file.endsWith(".webmanifest") ? "application/manifest+json" : blob.type,
      "cache-control": IMMUTABLE.test(pathname) ? "public, max-age=31536000, immutable" : "no-cache",
      vary: "accept-encoding",
    };
    const { mtimeMs, size } = await stat(file);
    if (!PACKABLE.test(file) || size < packBytesMin || size > packedBytesMax)
      return new Response(blob, { headers });
    const { bytes, etag } = await pack(file, mtimeMs);
    headers.etag = etag;
    if (request.headers.get("if-none-match") === etag) return new Response(null, { status: 304, headers });
    if (!/\bbr\b/.test(request.headers.get("accept-encoding") ?? "")) return new Response(blob, { headers });
    headers["content-encoding"] = "br";
    return new Response(bytes as Uint8Array<ArrayBuffer>, { headers });
  };

  return async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    const file = await fileOf(folder, pathname);
    if (file !== null) return send(file, pathname, request);
    if (NOT_PAGES.test(pathname)) throw new AppError("route.unknown", "There is nothing at this address.");
    const index = await fileOf(folder, "/index.html");
    if (index !== null) return send(index, "/index.html", request);
    return new Response(ABSENT, { status: 503, headers: { "content-type": "text/plain; charset=utf-8" } });
  };
}

export const staticRoutes = (gatekeeper: Gatekeeper, folder: string) => {
  const serve = createStatic(folder);
  const open = "the application itself holds no data";
  return new Elysia({ detail: { hide: true } })
    .use(access(gatekeeper))
    .get("/", ({ request }) => serve(request), { open })
    .get("/*", ({ request }) => serve(request), { open });
};
