/** A person at the gateway's own page: a browser's headers and cookies over a real socket, without a browser. */
export class LocalVisitor {
  cookie = "";
  formToken = "";

  constructor(
    readonly url: string,
    readonly more: Record<string, string> = {},
  ) {}

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(new URL(path, this.url), {
      headers: { ...this.more, cookie: this.cookie, ...headers },
      redirect: "manual",
      tls: { rejectUnauthorized: false },
    });
  }

  async text(path: string): Promise<string> {
    const text = await (await this.get(path)).text();
    this.formToken = /name="token" value="([^"]+)"/.exec(text)?.[1] ?? this.formToken;
    return text;
  }

  async post(
    path: string,
    fields: Record<string, string> = {},
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const response = await fetch(new URL(path, this.url), {
      method: "POST",
      headers: {
        origin: new URL(this.url).origin,
        "sec-fetch-site": "same-origin",
        ...this.more,
        cookie: this.cookie,
        ...headers,
      },
      body: new URLSearchParams({ token: this.formToken, ...fields }),
      redirect: "manual",
      tls: { rejectUnauthorized: false },
    });
    const set = response.headers.get("set-cookie");
    if (set !== null) this.cookie = set.split(";")[0] ?? "";
    return response;
  }

  signIn(pin: string, name = "Ada"): Promise<Response> {
    return this.post("/sign-in", { pin, name });
  }

  /** Signs in with a first PIN and chooses one, as the page asks for. */
  async enter(first: string, chosen: string, name = "Ada"): Promise<void> {
    await this.signIn(first, name);
    await this.text("/pin");
    await this.post("/pin", { next: chosen, again: chosen });
    await this.text("/");
  }
}
