/** Cookies of the hub. Each holds a random token whose hash we keep; that of `session` is signed. */
export type CookieName = "session" | "ticket" | "kiosk" | "device";

/** Browsers keep a cookie 400 days at most. */
export const COOKIE_S_MAX = 400 * 24 * 3_600;

export interface Cookies {
  name(cookie: CookieName | "state" | "dont_remember"): string;
  /** As browsers take and keep all cookies of ours. */
  attributes: { secure: boolean; httpOnly: true; sameSite: "lax"; path: "/" };
  read(headers: Headers, cookie: CookieName): string | null;
  /** A `Set-Cookie` header. */
  set(cookie: CookieName, value: string, maxAgeS: number): string;
  clear(cookie: CookieName): string;
}

/**
 * `__Host-` needs Secure, and a browser drops Secure cookies of plain http other than on localhost.
 * @param https whether people open the hub by https
 */
export function createCookies(https: boolean): Cookies {
  const name = (cookie: string) => `${https ? "__Host-" : ""}millrace.${cookie}`;
  const set = (cookie: CookieName, value: string, maxAgeS: number) =>
    `${name(cookie)}=${value}; Max-Age=${maxAgeS}; Path=/; HttpOnly; SameSite=Lax${https ? "; Secure" : ""}`;
  return {
    name,
    attributes: { secure: https, httpOnly: true, sameSite: "lax", path: "/" },
    read(headers, cookie) {
      const wanted = `${name(cookie)}=`;
      for (const part of (headers.get("cookie") ?? "").split(";")) {
        const text = part.trim();
        if (text.startsWith(wanted)) return text.slice(wanted.length);
      }
      return null;
    },
    set,
    clear: (cookie) => set(cookie, "", 0),
  };
}
