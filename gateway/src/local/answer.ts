import type { AppError } from "@millrace/contract/error/app-error";
import { ERROR } from "@millrace/contract/error/code";
import type { Html } from "./html.ts";

export const HEADERS = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  "x-content-type-options": "nosniff",
  // Not `no-referrer`: with that a browser sends its own forms with `Origin: null`, as a stranger's.
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "cache-control": "no-store",
} as const;

type More = Record<string, string>;

export const text = (body: string, type: string, status = 200, more: More = {}): Response =>
  new Response(body, { status, headers: { ...HEADERS, ...more, "content-type": type } });

export const plain = (body: string, status = 200): Response =>
  text(`${body}\n`, "text/plain; charset=utf-8", status);

export const pageOf = (page: Html, status = 200, more: More = {}): Response =>
  text(page.text, "text/html; charset=utf-8", status, more);

export const json = (body: unknown): Response => text(JSON.stringify(body), "application/json");

/** To another page after a form, so that loading it again does nothing again. */
export const goTo = (path: string, more: More = {}): Response =>
  new Response(null, { status: 303, headers: { ...HEADERS, ...more, location: path } });

/** RFC 9457. */
export function problem(
  error: AppError,
  status: number = ERROR[error.code].status,
  more: More = {},
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
  return text(JSON.stringify(body), "application/problem+json", status, more);
}
