import { AppError } from "@millrace/contract/error/app-error";
import { ROUTE } from "@millrace/contract/wire/route";

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * The hub's WebSocket address. Plain `http:` is taken for this machine only: over a network the session's data and
 * the manifest would be readable for everybody on the way.
 * @throws AppError `setting.wrong` naming what was found and what would be right.
 */
export function uplinkUrl(hubUrl: string, allowPlain: boolean): string {
  let url: URL;
  try {
    url = new URL(ROUTE.uplink, hubUrl);
  } catch {
    throw new AppError(
      "setting.wrong",
      `hubUrl "${hubUrl}" is not an address such as https://hub.example:443.`,
    );
  }
  const secure = url.protocol === "https:" || url.protocol === "wss:";
  if (!secure && url.protocol !== "http:" && url.protocol !== "ws:") {
    throw new AppError(
      "setting.wrong",
      `hubUrl "${hubUrl}" must begin with https:// (found ${url.protocol}//).`,
    );
  }
  if (!secure && !allowPlain && !LOOPBACK.has(url.hostname)) {
    throw new AppError(
      "setting.wrong",
      `hubUrl "${hubUrl}" is not encrypted and ${url.hostname} is not this machine. Use https://, or set allowPlain if the network is trusted.`,
    );
  }
  url.protocol = secure ? "wss:" : "ws:";
  return url.href;
}
