import { AppError, asAppError } from "@millrace/contract/error/app-error";
import { problem } from "./answer.ts";
import { FORM_BYTES_MAX } from "./form-routes.ts";
import type { Tls } from "./listen.ts";
import { LocalPage, type PageInput } from "./local-page.ts";
import { TEST_MS_MAX } from "./work-desk.ts";

/** A client that says nothing for so long is hung up on; one that trickles its request is cut soon after. */
const IDLE_S = 10;
/** An answer that waits for a device. */
const DEVICE_S = TEST_MS_MAX / 1_000 + IDLE_S;
const WAIT_FOR_DEVICE: ReadonlySet<string> = new Set(["/service/test", "/service/restart"]);

export interface LocalServerInput extends Omit<PageInput, "secure"> {
  /** Address to listen at, judged already. */
  host: string;
  port: number;
  tls: Tls | null;
  /** A test waits less for a slow client. */
  idleS?: number;
}

export interface LocalServer {
  url: string;
  stop(): Promise<void>;
}

/**
 * The page for the technician at the cabinet and the figures for collectors. Whoever has not signed in sees a light.
 * @throws AppError `setting.wrong` when it cannot listen
 */
export function startLocalServer({ host, port, tls, idleS, ...input }: LocalServerInput): LocalServer {
  const page = new LocalPage({ ...input, secure: tls !== null });
  try {
    const server = Bun.serve({
      hostname: host,
      port,
      idleTimeout: idleS ?? IDLE_S,
      maxRequestBodySize: FORM_BYTES_MAX,
      ...(tls === null ? {} : { tls }),
      fetch: (request, socket) => {
        if (WAIT_FOR_DEVICE.has(new URL(request.url).pathname)) socket.timeout(request, DEVICE_S);
        return page.answer(request, socket.requestIP(request)?.address ?? "unknown");
      },
      error: (thrown) => problem(asAppError(thrown)),
    });
    return { url: server.url.href, stop: () => server.stop(true) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const setting =
      tls === null ? "MILLRACE_LOCAL_PORT" : "MILLRACE_LOCAL_PORT or MILLRACE_LOCAL_TLS_CERT_FILE";
    throw new AppError("setting.wrong", `${setting}: cannot listen at ${host}:${port}: ${why}`, {
      cause,
      context: { setting },
    });
  }
}
