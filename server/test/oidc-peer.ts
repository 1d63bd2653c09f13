import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Provider } from "oidc-provider";

export type OidcPerson = {
  sub: string;
  email: string;
  email_verified: boolean;
  name: string;
  groups: string[];
};

export interface OidcPeer extends AsyncDisposable {
  issuer: string;
  /** Who there is at the provider; what is changed counts from the next sign-in on. */
  people: Map<string, OidcPerson>;
  /** Goes through the provider's own pages as a browser would. @returns where it sends the browser back to */
  signIn(url: string, login: string): Promise<URL>;
}

export const OIDC_CLIENT = { clientId: "millrace", clientSecret: "a secret of sixteen and more" };

/** A certified OpenID Connect provider of another project, on a port of its own. */
export async function oidcPeer(redirectUri: string): Promise<OidcPeer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const people = new Map<string, OidcPerson>();
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: OIDC_CLIENT.clientId,
        client_secret: OIDC_CLIENT.clientSecret,
        redirect_uris: [redirectUri],
      },
    ],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "groups"] },
    cookies: { keys: ["of this test"] },
    pkce: { required: () => true },
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: () => people.get(id) ?? { sub: id },
    }),
  });
  server.on("request", provider.callback());
  return {
    issuer,
    people,
    signIn: (url, login) => walk(url, login),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Follows redirects and fills in the forms it meets: who one is, and that this is fine. */
async function walk(from: string, login: string): Promise<URL> {
  const cookies = new Map<string, string>();
  const { origin } = new URL(from);
  let next: { url: string; form?: Record<string, string> } = { url: from };
  for (let steps = 0; steps < 20; steps++) {
    const response = await fetch(next.url, {
      redirect: "manual",
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
      ...(next.form && { method: "POST", body: new URLSearchParams(next.form) }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [name = "", value = ""] = line.split(";")[0]!.split("=");
      cookies.set(name, value);
    }
    const location = response.headers.get("location");
    if (location !== null) {
      const url = new URL(location, next.url);
      if (url.origin !== origin) return url;
      next = { url: url.href };
      continue;
    }
    const page = await response.text();
    const action = /action="([^"]+)"/.exec(page)?.[1];
    if (action === undefined)
      throw new Error(`the provider answered ${response.status}: ${page.slice(0, 300)}`);
    const prompt = /name="prompt" value="([^"]+)"/.exec(page)?.[1] ?? "login";
    next = { url: new URL(action, next.url).href, form: { prompt, login, password: "any" } };
  }
  throw new Error("the provider never sent the browser back");
}
