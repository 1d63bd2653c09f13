import { createHash } from "node:crypto";
import { filterProblem } from "@millrace/contract/driver/topic";
import { AppError } from "@millrace/contract/error/app-error";
import { ERROR, type ErrorCode } from "@millrace/contract/error/code";
import type { Clock } from "@millrace/contract/std/clock";
import { isCommandTopic } from "../driver/arrivals.ts";
import { Payload } from "../driver/payload/document.ts";
import { neighbourOf } from "../local/access/tries.ts";
import type { Tls } from "../local/listen.ts";
import type { Receipt } from "../outbox/receipt.ts";
import type { IntakeDesk } from "./desk.ts";
import { INTAKE } from "./limits.ts";

/** Longest silence on a connection, s; a body that trickles is cut by it. */
const IDLE_S = 10;
const KEY = /^[\x21-\x7e]{1,200}$/;
const PATH = /^\/in\/([a-z0-9][a-z0-9_.-]{0,63})\/(.{1,600})$/;

export interface HttpIntakeInput {
  host: string;
  port: number;
  tls: Tls | null;
  clock: Clock;
  desk: IntakeDesk;
  /** The answer kept under this name; null when there is none. */
  receipt: (id: string) => Promise<string | null>;
  /** Puts what was taken in this turn on disk together with the receipt; false when the disk refuses. */
  keep: (receipt: Receipt) => Promise<boolean>;
}

interface Asked {
  login: string;
  topic: string;
  /** Name of the receipt: who sent it under which key. */
  id: string;
  /** What was sent, so that a key used for something else is noticed. */
  digest: string;
  bytes: Uint8Array;
}

interface Answer {
  status: number;
  body: string;
}

const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");

const refuse = (code: ErrorCode, message: string, headers: Record<string, string> = {}): Response =>
  new Response(`${JSON.stringify({ code, message, nextStep: ERROR[code].nextStep })}\n`, {
    status: ERROR[code].status,
    headers: { "content-type": "application/json", ...headers },
  });

/**
 * The gateway's address for devices that send by HTTP: `POST /in/<login>/<topic>`, a bearer token, an idempotency key and
 * a JSON document. 200 means that the values lie on this gateway's disk, together with the answer: a request that is
 * repeated under its key gets the same answer and stores nothing, also after a power cut.
 */
export class HttpIntake {
  readonly #input: HttpIntakeInput;
  readonly #server: Bun.Server<undefined>;
  /** Requests that wait for the disk, so that a repeated one waits for the same. */
  #inside = 0;
  readonly #busy = new Map<string, { digest: string; answer: Promise<Answer | null> }>();

  /** @throws what the system says when it cannot listen */
  constructor(input: HttpIntakeInput) {
    this.#input = input;
    this.#server = Bun.serve({
      hostname: input.host,
      port: input.port,
      idleTimeout: IDLE_S,
      maxRequestBodySize: INTAKE.bytesMax,
      ...(input.tls === null ? {} : { tls: input.tls }),
      fetch: (request, server) => this.#answer(request, server.requestIP(request)?.address ?? "unknown"),
      error: () => refuse("internal.bug", "This request could not be taken."),
    });
  }

  get port(): number {
    return this.#server.port ?? 0;
  }

  async stop(): Promise<void> {
    await this.#server.stop(true);
  }

  async #answer(request: Request, address: string): Promise<Response> {
    const found = PATH.exec(new URL(request.url).pathname);
    if (found === null) return refuse("route.unknown", "Send to /in/<login>/<topic>.");
    if (request.method !== "POST") return new Response("", { status: 405, headers: { allow: "POST" } });
    const [, login = "", path = ""] = found;
    const token = /^Bearer ([\x21-\x7e]{1,500})$/.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
    // One answer, whether the login exists or not.
    if (!this.#input.desk.admits(login, token, neighbourOf(address)))
      return refuse("auth.refused", "Login or token is wrong.", { "www-authenticate": "Bearer" });
    const waitMs = this.#input.desk.waitMs(login);
    if (waitMs > 0)
      return refuse("request.tooMany", "Too many messages.", {
        "retry-after": String(Math.ceil(waitMs / 1_000)),
      });
    if (this.#inside >= INTAKE.requestsMax)
      return refuse("request.tooMany", "Too many requests at once.", { "retry-after": "1" });
    this.#inside++;
    try {
      return await this.#take(request, login, path);
    } catch (thrown) {
      if (thrown instanceof AppError) return refuse(thrown.code, thrown.message);
      throw thrown;
    } finally {
      this.#inside--;
    }
  }

  async #take(request: Request, login: string, path: string): Promise<Response> {
    const asked = await readAsked(request, login, path);
    const kept = await this.#known(asked);
    if (kept !== null) return kept;
    // From here to the first wait nothing comes between: the receipt goes to disk with these samples and no others.
    const taken = this.#input.desk.offer(asked.login, { topic: asked.topic, payload: asked.bytes });
    if (taken === null)
      return refuse("device.unreachable", "This device is not configured here now.", { "retry-after": "5" });
    if (taken.tags === 0)
      return refuse("request.invalid", `No tag of ${login} takes its value from "${asked.topic}".`);
    const answer: Answer = { status: 200, body: JSON.stringify({ stored: true, ...taken }) };
    const atMs = this.#input.clock.nowMs();
    const stored = this.#input.keep({ id: asked.id, answer: `${asked.digest} ${answer.body}`, atMs });
    const settled = stored.then(
      (yes) => (yes ? answer : null),
      () => null,
    );
    this.#busy.set(asked.id, { digest: asked.digest, answer: settled });
    try {
      return told(await settled, false);
    } finally {
      this.#busy.delete(asked.id);
    }
  }

  /** The answer this key got already; null for a key that is new. */
  async #known({ id, digest }: Asked): Promise<Response | null> {
    const busy = this.#busy.get(id);
    if (busy !== undefined) return busy.digest === digest ? told(await busy.answer, true) : otherBody();
    const kept = await this.#input.receipt(id);
    // It may have come in while we looked.
    const late = this.#busy.get(id);
    if (late !== undefined) return late.digest === digest ? told(await late.answer, true) : otherBody();
    if (kept === null) return null;
    const [before = "", ...body] = kept.split(" ");
    return before === digest ? told({ status: 200, body: body.join(" ") }, true) : otherBody();
  }
}

const otherBody = (): Response =>
  refuse("entity.conflict", "This Idempotency-Key was used for another message; each message has its own.");

/** Not kept: the sender must keep what it has and send it again. */
const told = (answer: Answer | null, repeated: boolean): Response =>
  answer === null
    ? refuse("outbox.failed", "The gateway's disk takes nothing now; send it again.", { "retry-after": "5" })
    : new Response(`${answer.body}\n`, {
        status: answer.status,
        headers: {
          "content-type": "application/json",
          ...(repeated ? { "idempotent-replayed": "true" } : {}),
        },
      });

/** @throws AppError `request.*` */
async function readAsked(request: Request, login: string, path: string): Promise<Asked> {
  const topic = decodeTopic(path);
  const key = request.headers.get("idempotency-key") ?? "";
  if (!KEY.test(key))
    throw new AppError(
      "request.invalid",
      "Each message needs an Idempotency-Key of its own, 1 to 200 visible characters.",
    );
  const bytes = await readBody(request);
  const document = new Payload(bytes).json();
  if (!document.ok) throw new AppError("request.malformed", `The body cannot be read: ${document.why}.`);
  return { login, topic, bytes, id: `${login} ${sha256(key)}`, digest: sha256(`${topic}\n${sha256(bytes)}`) };
}

function decodeTopic(path: string): string {
  let topic = "";
  try {
    topic = decodeURIComponent(path);
  } catch {
    throw new AppError("request.invalid", "The topic is not encoded well.");
  }
  if (filterProblem(topic) !== null || /[+#]/.test(topic) || topic.startsWith("$") || isCommandTopic(topic))
    throw new AppError("request.invalid", "Nobody may send at this topic.");
  return topic;
}

async function readBody(request: Request): Promise<Uint8Array> {
  const type = (request.headers.get("content-type") ?? "application/json")
    .split(";")[0]!
    .trim()
    .toLowerCase();
  if (type !== "application/json")
    throw new AppError("request.malformed", "Send the body as application/json.");
  if ((request.headers.get("content-encoding") ?? "identity") !== "identity")
    throw new AppError("request.malformed", "Send the body without compression.");
  const length = Number(request.headers.get("content-length") ?? 0);
  const tooLarge = () => new AppError("request.tooLarge", `A message has at most ${INTAKE.bytesMax} bytes.`);
  if (length > INTAKE.bytesMax) throw tooLarge();
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.length > INTAKE.bytesMax) throw tooLarge();
  return bytes;
}
