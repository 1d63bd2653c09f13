import type { Problem } from "@millrace/contract/api/problem";

/** Calls the hub's REST API as an automation would: with an API key. */
export class HubApi {
  /** Trusted instead of the public authorities, PEM; null for those. */
  authority: string | null = null;

  constructor(
    readonly url: string,
    private readonly apiKey: string,
  ) {}

  get<T>(path: string): Promise<T> {
    return this.call<T>("GET", path);
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.call<T>("POST", path, body);
  }

  put<T>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<T> {
    return this.call<T>("PUT", path, body, headers);
  }

  /** Every page of a list. */
  async all<T>(path: string): Promise<T[]> {
    const rows: T[] = [];
    let cursor: string | null = null;
    do {
      const query: string =
        cursor === null ? "" : `${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor)}`;
      const page: { items: T[]; nextCursor: string | null } = await this.get(path + query);
      rows.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return rows;
  }

  private async call<T>(
    method: string,
    path: string,
    body?: unknown,
    extra: Record<string, string> = {},
  ): Promise<T> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.apiKey}`, ...extra };
    if (body !== undefined) headers["content-type"] = "application/json";
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      ...(this.authority === null ? {} : { tls: { ca: this.authority } }),
    });
    if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T;
    const problem = (await response.json().catch(() => null)) as Problem | null;
    throw new Error(`${method} ${path}: ${response.status} ${problem?.code ?? ""} ${problem?.detail ?? ""}`);
  }
}
