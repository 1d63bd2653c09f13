const BASE = [
  "default-src 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "connect-src 'self'",
  "script-src 'self'",
];

/** For everything but the API's documentation: nothing inline, nothing from elsewhere. */
export const CSP = [...BASE, "style-src 'self'", "worker-src 'self'", "manifest-src 'self'"].join("; ");

/** The documentation page writes its styles itself; its scripts obey the same rule as all. */
export const CSP_DOCS = [...BASE, "style-src 'self' 'unsafe-inline'", "font-src 'self' data:"].join("; ");

/**
 * Set on every response, also on errors, files and refused sockets.
 * @param hstsS how long browsers shall insist on https, seconds; 0 on plain http
 */
export function securityHeaders(hstsS: number): Record<string, string> {
  return {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    ...(hstsS > 0 ? { "strict-transport-security": `max-age=${hstsS}` } : {}),
  };
}
