import type { Site } from "@millrace/contract/api/plant";
import { totpCodeNow } from "./authenticator.ts";
import { ADA, send, setUpAda, type TestHub } from "./hub.ts";

export interface BrowserAnswer<T = Record<string, unknown>> {
  status: number;
  body: T;
}

/** A browser at the hub: keeps cookies as the hub sets them, and shows its own page's Origin. */
export class Browser {
  readonly cookies = new Map<string, string>();

  constructor(readonly hub: TestHub) {}

  get cookie(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  async ask<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<BrowserAnswer<T>> {
    const response = await send(this.hub, method, path, {
      cookie: this.cookie,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    this.take(response.headers);
    const text = await response.text();
    return { status: response.status, body: (text === "" ? null : JSON.parse(text)) as T };
  }

  /** The same, for what must succeed. */
  async must<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const answer = await this.ask<T>(method, path, body, headers);
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  take(headers: Headers): void {
    for (const line of headers.getSetCookie()) {
      const [pair = "", ...flags] = line.split("; ");
      const [name = "", value = ""] = pair.split("=", 2);
      if (flags.some((flag) => flag === "Max-Age=0") || value === "") this.cookies.delete(name);
      else this.cookies.set(name, pair.slice(name.length + 1));
    }
  }

  signIn(email: string, password: string): Promise<BrowserAnswer> {
    return this.ask("POST", "/api/v1/sign-in/password", { email, password });
  }

  /** The code of 200 or of the problem it is answered with. */
  async codeOf(method: string, path: string, body?: unknown): Promise<string> {
    const answer = await this.ask<{ code?: string }>(method, path, body);
    return answer.status === 200 ? "ok" : (answer.body.code ?? String(answer.status));
  }

  /** Sets an authenticator app up. @returns its secret, base32, and the recovery codes */
  async setUpApp(nowMs = Date.now()): Promise<{ secret: string; recoveryCodes: string[] }> {
    const { secret } = await this.must<{ secret: string }>("POST", "/api/v1/me/totp");
    const code = totpCodeNow(secret, nowMs);
    const { recoveryCodes } = await this.must<{ recoveryCodes: string[] }>(
      "POST",
      "/api/v1/me/totp/confirm",
      { code },
    );
    return { secret, recoveryCodes };
  }
}

/** The first administrator, signed in. */
export async function adaAt(hub: TestHub): Promise<Browser> {
  await setUpAda(hub);
  const browser = new Browser(hub);
  const answer = await browser.signIn(ADA.email, ADA.password);
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return browser;
}

export const PASSWORD = "another long password";

/** Somebody new with these roles, invited by Ada and signed in by a password, in a browser of their own. */
export async function joined(
  ada: Browser,
  name: string,
  grants: readonly { role: string; siteId: string | null }[],
): Promise<Browser & { id: string; email: string }> {
  const email = `${name.toLowerCase()}@plant.example`;
  const { link } = await ada.must<{ link: string }>("POST", "/api/v1/invitations", { name, email, grants });
  const browser = new Browser(ada.hub);
  const token = link.split("#token=")[1];
  await browser.must("POST", "/api/v1/invitations/accept/password", { token, password: PASSWORD });
  const { id } = await browser.must<{ id: string }>("GET", "/api/v1/me");
  return Object.assign(browser, { id, email });
}

export const placeAt = async (ada: Browser, name: string): Promise<string> =>
  (await ada.must<Site>("POST", "/api/v1/sites", { name, kind: "site", parentId: null })).id;
