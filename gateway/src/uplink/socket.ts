import { AppError } from "@millrace/contract/error/app-error";
import { DownlinkMessage } from "@millrace/contract/wire/downlink";
import { LIMITS } from "@millrace/contract/wire/limits";
import { Value } from "@sinclair/typebox/value";
import type { TlsTrust } from "../identity/hub-trust.ts";
import { connectFailure, untrusted } from "./connect-failure.ts";
import { CLOSE_FAILED, CLOSE_UNTRUSTED } from "./ending.ts";

/** What a socket tells its owner. After `onClosed` it is silent. */
export interface SocketEvents {
  onOpened(): void;
  onHeard(message: DownlinkMessage): void;
  /** The hub sent what is no message of ours. */
  onGarbage(error: AppError): void;
  onClosed(code: number, reason: string): void;
}

export interface UplinkSocket {
  send(data: string | Uint8Array): void;
  /** Ends the connection; no event comes afterwards. */
  close(reason: string): void;
}

/**
 * A thin edge around Bun's WebSocket client. Its signals prove nothing: `send` never fails and a frozen server is not
 * noticed (`delivery.md` 2.5), so deadlines and acks are the machine's business.
 */
export function openSocket(url: string, events: SocketEvents, tls?: TlsTrust): UplinkSocket {
  const options: Bun.WebSocketOptions = tls === undefined ? {} : { tls };
  // The types are the browser's, which knows no such options.
  const socket = new WebSocket(url, options as never);
  let live = true;
  const end = (code: number, reason: string) => {
    if (!live) return;
    live = false;
    events.onClosed(code, reason);
  };
  socket.onopen = () => live && events.onOpened();
  socket.onmessage = (event) => {
    if (!live) return;
    try {
      events.onHeard(decodeDownlink(event.data));
    } catch (thrown) {
      events.onGarbage(thrown as AppError);
    }
  };
  socket.onerror = (event) => {
    const { error, message } = event as ErrorEvent;
    const code = (error as { code?: string } | null)?.code;
    const closeCode = untrusted(code) === null ? CLOSE_FAILED : CLOSE_UNTRUSTED;
    end(closeCode, connectFailure(url, { code, message }));
  };
  socket.onclose = (event) => end(event.code, event.reason);
  return {
    send: (data) => {
      if (live && socket.readyState === WebSocket.OPEN) socket.send(data as string);
    },
    close: (reason) => {
      live = false;
      // A dead peer never answers a close handshake; `terminate` frees the socket at once.
      if (socket.readyState === WebSocket.OPEN) socket.close(1000, reason.slice(0, 100));
      else socket.terminate();
    },
  };
}

/** @throws AppError `uplink.protocol` naming the field; the text itself is not quoted, it may be anything. */
export function decodeDownlink(data: unknown): DownlinkMessage {
  if (typeof data !== "string") throw garbage("a binary message");
  if (data.length > LIMITS.downlinkTextBytesMax) throw garbage(`a message of ${data.length} characters`);
  let found: unknown;
  try {
    found = JSON.parse(data);
  } catch {
    throw garbage("text that is not JSON");
  }
  if (Value.Check(DownlinkMessage, found)) return found;
  const type = String((found as { type?: unknown } | null)?.type ?? "").slice(0, 32);
  const schema = DownlinkMessage.anyOf.find((one) => one.properties.type.const === type);
  const first = Value.Errors(schema ?? DownlinkMessage, found).First();
  throw garbage(
    `a message of type "${type}" whose ${first?.path || "shape"} is wrong: ${first?.message ?? ""}`,
  );
}

const garbage = (what: string): AppError =>
  new AppError("uplink.protocol", `The hub sent ${what}. Update the older of gateway and hub.`);
