import { AppError, asAppError } from "@millrace/contract/error/app-error";
import type { AccessDesk, Refusal } from "./access/desk.ts";
import type { Session } from "./access/sessions.ts";
import { goTo, problem } from "./answer.ts";
import { endedCookie, isSame, sessionCookie } from "./guard.ts";
import { refusalWords } from "./light-page.ts";
import type { Done, WorkDesk } from "./work-desk.ts";

/** A form of ours has a few short fields. */
export const FORM_BYTES_MAX = 4 * 1024;
const FORM = "application/x-www-form-urlencoded";

/** @throws AppError `request.malformed` for another kind of body */
export async function readForm(request: Request): Promise<URLSearchParams> {
  if ((request.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() !== FORM)
    throw new AppError("request.malformed", `Only forms are taken here (${FORM}).`);
  return new URLSearchParams(await request.text());
}

export interface FormDeps {
  access: AccessDesk;
  work: WorkDesk;
  /** True behind TLS. */
  secure: boolean;
}

type Act = (work: WorkDesk, session: Session, form: URLSearchParams) => Promise<Done> | Done;

const field = (form: URLSearchParams, name: string): string => form.get(name) ?? "";

/** What a signed-in person may do, each by a form of its own; it leads back to the page it stands on. */
const ACTS: Readonly<Record<string, Act>> = {
  "/service/begin": (work, { name }) => work.begin(name),
  "/service/end": (work, { name }) => work.end(name),
  "/service/arm": (work, { name }) => work.arm(name),
  "/service/disarm": (work, { name }) => work.disarm(name),
  "/service/lockout": (work, { name }) => work.lockOut(name),
  "/service/release": (work, { name }) => work.release(name),
  "/service/test": (work, { name }, form) => work.test(name, field(form, "deviceId")),
  "/service/restart": (work, { name }, form) => work.restart(name, field(form, "deviceId")),
  "/doctor/reset": (work, _, form) => work.countAnew(field(form, "connection")),
};

/** Answers a form of somebody who is signed in. */
export async function answerForm(deps: FormDeps, path: string, session: Session, form: URLSearchParams) {
  if (!isSame(field(form, "token"), session.formToken)) {
    deps.access.refused("crossSite", session.address);
    return problem(
      new AppError("auth.originRefused", "This form is not of this session. Load the page again."),
    );
  }
  if (path === "/sign-out") {
    deps.access.signOut(session);
    return goTo("/", { "set-cookie": endedCookie(deps.secure) });
  }
  if (path === "/pin") return choosePin(deps, session, form);
  const act = Object.hasOwn(ACTS, path) ? ACTS[path] : undefined;
  if (act === undefined) return problem(new AppError("route.unknown", "There is nothing at that address."));
  if (session.mustChoose) return goTo("/pin");
  const back = path.slice(0, path.lastIndexOf("/"));
  session.told = { path: back, ...(await doneOf(act, deps.work, session, form)) };
  const connection = field(form, "connection");
  return goTo(connection === "" ? back : `${back}?${new URLSearchParams({ connection })}`);
}

async function doneOf(act: Act, work: WorkDesk, session: Session, form: URLSearchParams): Promise<Done> {
  try {
    return await act(work, session, form);
  } catch (thrown) {
    const { code, message } = asAppError(thrown);
    if (code === "internal.bug") throw thrown;
    return { ok: false, text: message };
  }
}

async function choosePin({ access, secure }: FormDeps, session: Session, form: URLSearchParams) {
  const tell = (told: Session, ok: boolean, words: string) => {
    told.told = { path: "/pin", ok, text: words };
  };
  if (field(form, "next") !== field(form, "again")) {
    tell(session, false, "The two new PINs differ.");
    return goTo("/pin");
  }
  const result = await access.choosePin(session, field(form, "present"), field(form, "next"));
  if (result.at !== "open") {
    tell(session, false, refusalWords(result));
    return goTo("/pin");
  }
  tell(result.session, true, "The new PIN counts from now on.");
  return goTo("/pin", { "set-cookie": sessionCookie(result.token, secure) });
}

const REFUSED_STATUS: Record<Refusal["at"], number> = {
  wrong: 401,
  locked: 429,
  busy: 429,
  broken: 503,
  unfit: 422,
};
export const refusedStatus = ({ at }: Refusal): number => REFUSED_STATUS[at];
export const signInFields = (form: URLSearchParams): { pin: string; name: string } => ({
  pin: field(form, "pin"),
  name: field(form, "name"),
});
