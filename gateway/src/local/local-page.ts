import { getLogger } from "@logtape/logtape";
import { AppError, asAppError } from "@millrace/contract/error/app-error";
import type { AccessDesk, Refusal } from "./access/desk.ts";
import type { Session } from "./access/sessions.ts";
import { goTo, json, pageOf, plain, problem, text } from "./answer.ts";
import { doctorPage } from "./doctor-page.ts";
import { answerForm, readForm, refusedStatus, signInFields } from "./form-routes.ts";
import {
  allowedHosts,
  cookieToken,
  hasToken,
  isAllowedHost,
  isOwnForm,
  isOwnMachine,
  sessionCookie,
} from "./guard.ts";
import { lightPage } from "./light-page.ts";
import { LIVE_SCRIPT } from "./live-script.ts";
import { metricsText } from "./metrics.ts";
import { statusPage, tagsPage } from "./pages.ts";
import type { Visit } from "./shell.ts";
import { STYLE } from "./style.ts";
import type { LocalView } from "./view.ts";
import type { WorkDesk } from "./work-desk.ts";
import { pinPage, workPage } from "./work-page.ts";

const log = getLogger(["gateway", "local"]);

/** Requests at one moment; the page of one technician makes two. */
const AT_ONCE_MAX = 64;

export interface PageInput {
  /** Host name or address of the settings, and further ones to answer to. */
  names: readonly string[];
  /** Lets programs read the figures; undefined: nobody has it. */
  token: string | undefined;
  access: AccessDesk;
  work: WorkDesk;
  view: () => Promise<LocalView>;
  /** Behind TLS. */
  secure: boolean;
}

/** One request and who sent it. */
interface Asked {
  request: Request;
  url: URL;
  address: string;
  session: Session | null;
}

/** Answers the requests of the local page: judges where they come from first, then who sent them, then what they want. */
export class LocalPage {
  readonly #input: PageInput;
  readonly #allowed: ReadonlySet<string>;
  #atOnce = 0;
  #looking: Promise<LocalView> | null = null;

  constructor(input: PageInput) {
    this.#input = input;
    this.#allowed = allowedHosts(input.names);
  }

  async answer(request: Request, address: string): Promise<Response> {
    if (this.#atOnce >= AT_ONCE_MAX)
      return problem(new AppError("request.tooMany", `More than ${AT_ONCE_MAX} requests at once.`), 503);
    this.#atOnce++;
    try {
      const response = await this.#judge(request, address);
      return request.method === "HEAD" ? new Response(null, response) : response;
    } catch (thrown) {
      const error = asAppError(thrown);
      if (error.code === "internal.bug") log.error("local page failed: {error}", { error: thrown });
      return problem(error);
    } finally {
      this.#atOnce--;
    }
  }

  async #judge(request: Request, address: string): Promise<Response> {
    if (!isAllowedHost(request.headers, this.#allowed)) {
      const message = "This page does not answer to that host name; MILLRACE_LOCAL_NAMES may add it.";
      return problem(new AppError("auth.originRefused", message), 421);
    }
    const { method } = request;
    if (method !== "GET" && method !== "HEAD" && method !== "POST") {
      const error = new AppError("request.invalid", "Only GET, HEAD and POST are answered here.");
      return problem(error, 405, { allow: "GET, HEAD, POST" });
    }
    const url = new URL(request.url);
    if (method === "POST" && !isOwnForm(request.headers)) {
      this.#input.access.refused("crossSite", address);
      return problem(new AppError("auth.originRefused", "Forms are taken from this page only."));
    }
    // A page that renews itself is no person who is still there.
    const byPerson = !request.headers.has("x-renew") && !url.searchParams.has("renew");
    const token = cookieToken(request.headers, this.#input.secure);
    const session = token === null ? null : await this.#input.access.session(token, byPerson);
    const asked = { request, url, address, session };
    return method === "POST" ? await this.#form(asked) : await this.#read(asked);
  }

  async #form({ request, url, address, session }: Asked): Promise<Response> {
    const form = await readForm(request);
    const { access, work, secure } = this.#input;
    if (url.pathname !== "/sign-in")
      return session === null
        ? goTo("/")
        : await answerForm({ access, work, secure }, url.pathname, session, form);
    const { pin, name } = signInFields(form);
    const result = await access.signIn(pin, name, address);
    if (result.at !== "open") return this.#light(address, refusedStatus(result), result, name);
    if (session !== null) access.signOut(session);
    return goTo(result.session.mustChoose ? "/pin" : "/", {
      "set-cookie": sessionCookie(result.token, secure),
    });
  }

  /** What everybody may read; the rest is for whoever signed in, or has the token. */
  async #read(asked: Asked): Promise<Response> {
    switch (asked.url.pathname) {
      case "/style.css":
        return text(STYLE, "text/css; charset=utf-8");
      case "/live.js":
        return text(LIVE_SCRIPT, "text/javascript; charset=utf-8");
      case "/livez":
        return plain("ok");
      case "/readyz": {
        // Ready means: what is read can be kept. Neither the hub nor a device decides about it.
        const { durable } = (await this.#view()).status.outbox;
        return durable ? plain("ok") : plain("the disk refuses", 503);
      }
      case "/metrics": {
        if (!isOwnMachine(asked.request.headers, asked.address) && !this.#mayRead(asked)) return needsToken();
        const metrics = await metricsText(await this.#view());
        return text(metrics.text, metrics.type);
      }
      case "/api/v1/status":
        return this.#mayRead(asked) ? json(statusJson(await this.#view())) : needsToken();
      default:
        return await this.#page(asked);
    }
  }

  async #page({ url, address, session }: Asked): Promise<Response> {
    const { pathname } = url;
    if (session === null)
      return this.#light(address, pathname === "/" || pathname === "/sign-in" ? 200 : 401);
    if (session.mustChoose && pathname !== "/pin") return goTo("/pin");
    if (pathname === "/sign-in") return goTo("/");
    const shown = PAGES[pathname];
    if (shown === undefined)
      return problem(new AppError("route.unknown", `There is nothing at ${pathname.slice(0, 200)}.`));
    // Told until the person goes elsewhere, so that a page that renews itself keeps it.
    if (session.told !== null && session.told.path !== pathname) session.told = null;
    return pageOf(shown({ session, path: pathname + url.search, view: await this.#view() }, url));
  }

  async #light(
    address: string,
    status: number,
    refusal: Refusal | null = null,
    name = "",
  ): Promise<Response> {
    const { access, secure } = this.#input;
    const lock = access.lockOf(address);
    const isPrivateLine = secure || isOwnMachine(new Headers(), address);
    const more: Record<string, string> =
      lock !== null && status === 429 ? { "retry-after": String(Math.ceil(lock.leftMs / 1_000)) } : {};
    return pageOf(lightPage({ view: await this.#view(), lock, refusal, name, isPrivateLine }), status, more);
  }

  #mayRead({ request, session }: Asked): boolean {
    return hasToken(request.headers, this.#input.token) || (session !== null && !session.mustChoose);
  }

  /** Whoever asks while somebody looks gets the same look. */
  #view(): Promise<LocalView> {
    this.#looking ??= this.#input.view().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }
}

const PAGES: Readonly<Record<string, (visit: Visit, url: URL) => ReturnType<typeof statusPage>>> = {
  "/": statusPage,
  "/tags": (visit, url) => tagsPage(visit, url.searchParams.get("q") ?? ""),
  "/doctor": (visit, url) => doctorPage(visit, url.searchParams),
  "/service": workPage,
  "/pin": pinPage,
};

const needsToken = (): Response =>
  problem(
    new AppError("auth.required", "Sign in at this page, or send the token of MILLRACE_LOCAL_TOKEN."),
    401,
    {
      "www-authenticate": "Bearer",
    },
  );

function statusJson(view: LocalView) {
  const { gatewayId, gatewayName, status, hub, machine, manifestProblem } = view;
  return { gatewayId, gatewayName, status, hub, machine, manifestProblem };
}
