import { Problem } from "@millrace/contract/api/problem";
import { AppError } from "@millrace/contract/error/app-error";
import type { Static, TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { CliSettings } from "./settings.ts";

/** A refusal in the hub's own words. */
export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

export interface CliRequest {
  method: "GET" | "PUT" | "POST";
  path: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer>;
}

/** The hub as the command line sees it. Both methods throw `Refused`, or AppError `uplink.unreachable`. */
export class Hub {
  constructor(private readonly settings: CliSettings) {}

  async text(request: CliRequest): Promise<string> {
    const { hubUrl, apiKey } = this.settings;
    const query = new URLSearchParams(request.query).toString();
    const url = `${hubUrl.replace(/\/$/, "")}/api/v1${request.path}${query === "" ? "" : `?${query}`}`;
    let response: Response;
    try {
      response = await fetch(url, {
        method: request.method,
        headers: { authorization: `Bearer ${apiKey}`, ...request.headers },
        ...(request.body === undefined ? {} : { body: request.body }),
      });
    } catch (cause) {
      throw new AppError("uplink.unreachable", `The hub at ${hubUrl} cannot be reached.`, { cause });
    }
    const text = await response.text();
    if (response.ok) return text;
    throw new Refused(decoded(Problem, text, url));
  }

  async json<T extends TSchema>(schema: T, request: CliRequest): Promise<Static<T>> {
    return decoded(schema, await this.text(request), request.path);
  }
}

/** @throws AppError `uplink.protocol` for an answer that no hub gives */
function decoded<T extends TSchema>(schema: T, text: string, from: string): Static<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AppError("uplink.protocol", `What ${from} answers is not what a hub answers.`, { cause });
  }
  const first = Value.Errors(schema, value).First();
  if (first === undefined) return value as Static<T>;
  throw new AppError("uplink.protocol", `${from}: the answer has at ${first.path} ${first.message}.`);
}
