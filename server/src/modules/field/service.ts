import type {
  FieldBrowseRequest,
  FieldBrowseResult,
  FieldConnectionRequest,
  FieldConnectionResult,
  FieldMatchRequest,
  FieldMatchResult,
  FieldReadRequest,
  FieldReadResult,
  FieldScanRequest,
  FieldScanResult,
  FieldTag,
} from "@millrace/contract/api/field";
import { networkHosts } from "@millrace/contract/driver/network";
import { type AnyDeclaration, declarationOf } from "@millrace/contract/driver/registry";
import { secretNamesOf, secretValuesOf } from "@millrace/contract/driver/secret-settings";
import { decodeSettings } from "@millrace/contract/driver/settings";
import { AppError } from "@millrace/contract/error/app-error";
import { ERROR, type ErrorCode } from "@millrace/contract/error/code";
import { redactData } from "@millrace/contract/std/redact";
import type {
  FieldBody,
  FieldKind,
  FieldPoint,
  FieldResult,
  FieldTried,
} from "@millrace/contract/wire/field";
import type { Principal } from "../../http/principal.ts";
import { applyChange, type ChangeDeps, found } from "../change.ts";
import type { CertificatesMet } from "../machine-certificates/met.ts";
import { openSettings, sealSettings } from "../secrets/service.ts";
import { mapReading, withCause } from "./map.ts";
import { hasGateway } from "./store.ts";

/** What a test at a device needs of the gateways' sessions. */
export interface FieldLink {
  /** Kinds the gateway's hello named. `none`: its software is older. */
  fieldOf(gatewayId: string): readonly string[] | "away" | "none" | "busy";
  ask(gatewayId: string, body: FieldBody, signal: AbortSignal): Promise<FieldResult>;
}

export interface FieldDeps extends ChangeDeps {
  link: FieldLink;
  hubId: string;
  /** Hears what a device showed of itself in a test. */
  met: Pick<CertificatesMet, "note">;
}

/** Who asks what of which gateway. `signal` ends the test when whoever asked goes away. */
export interface FieldAsk<T> {
  principal: Principal;
  gatewayId: string;
  signal: AbortSignal;
  input: T;
}

/**
 * Opens a session with these settings on the gateway and asks one harmless question.
 * @throws AppError `entity.missing` | `setting.wrong` | `field.*` | `request.*`
 */
export async function testConnection(
  deps: FieldDeps,
  ask: FieldAsk<FieldConnectionRequest>,
): Promise<FieldConnectionResult> {
  const { driver, settings } = await judged(deps, ask);
  const body = { kind: "connection", driver, settings } as const;
  const { ok, shared, roundTripMs, cause } = await tried(deps, ask, body, {
    action: "field.connection",
    about: noted(ask.input),
  });
  return { ok, shared, roundTripMs, ...withCause({ cause }) };
}

/**
 * Looks which addresses of a private network answer the driver, on explicit request.
 * @throws AppError `entity.missing` | `setting.wrong` | `field.*` | `request.*`
 */
export async function scanNetwork(
  deps: FieldDeps,
  ask: FieldAsk<FieldScanRequest>,
): Promise<FieldScanResult> {
  const { driver, network } = ask.input;
  const { scan, label } = declarationOf(driver);
  if (scan === undefined)
    throw new AppError("field.unsupported", `${label} devices cannot be looked for in a network.`);
  const [first] = networkHosts(network);
  const settings = await openSettings(deps, ask.principal, driver, ask.input.settings);
  decodeSettings(declarationOf(driver), { ...settings, ...scan.settings, [scan.host]: first });
  const body = { kind: "scan", driver, settings, network } as const;
  const { asked, found: there } = await tried(deps, ask, body, {
    action: "field.scan",
    about: { ...noted(ask.input), network },
  });
  const found = there.map(({ host, ok, shared, roundTripMs, cause }) => ({
    host,
    ok,
    shared,
    roundTripMs,
    ...withCause({ cause }),
  }));
  return { asked, found };
}

/**
 * Reads each tag once on the live device.
 * @throws AppError `entity.missing` | `setting.wrong` | `field.*` | `request.*`
 */
export async function testRead(deps: FieldDeps, ask: FieldAsk<FieldReadRequest>): Promise<FieldReadResult> {
  const { tags, scanMs } = ask.input;
  const { driver, settings } = await judged(deps, ask);
  const points = tags.map(pointOf);
  const body: FieldBody = { kind: "read", driver, settings, parts: [points] };
  const done = await tried(deps, ask, body, {
    action: "field.read",
    about: { ...noted(ask.input), tags: tags.length },
  });
  const { ok, shared, roundTripMs, requests } = done;
  return {
    ok,
    shared,
    roundTripMs,
    ...withCause(done),
    requests,
    ...(scanMs === undefined || requests === null ? {} : { requestsPerSecond: (requests * 1_000) / scanMs }),
    tags: tags.map((tag, at) => mapReading(tag, done.readings[at] ?? UNREAD)),
  };
}

/**
 * Looks for a displayed number around an address. With `previous`, only those candidates are tried again.
 * @throws AppError `entity.missing` | `setting.wrong` | `address.illegal` | `field.*` | `request.*`
 */
export async function matchDisplay(
  deps: FieldDeps,
  ask: FieldAsk<FieldMatchRequest>,
): Promise<FieldMatchResult> {
  const { around, span, displayed } = ask.input;
  const { driver, settings, declaration, decoded } = await judged(deps, ask);
  const { matcher } = declaration;
  if (matcher === undefined) {
    throw new AppError(
      "field.unsupported",
      `${declaration.label} has no registers to search. Use the test-read with the address of its manual.`,
    );
  }
  const body: FieldBody = {
    kind: "read",
    driver,
    settings,
    parts: matcher.window(ask.input, decoded as never),
  };
  const done = await tried(deps, ask, body, {
    action: "field.match",
    about: { ...noted(ask.input), around, span, displayed },
  });
  const { ok, shared, roundTripMs, readings } = done;
  const answer = matcher.propose(ask.input, readings, decoded as never);
  return { ok, shared, roundTripMs, ...withCause(done), ...answer };
}

/**
 * A page of what lies below one place of the device's own address space.
 * @throws AppError `entity.missing` | `setting.wrong` | `field.*` | `request.*`
 */
export async function browseDevice(
  deps: FieldDeps,
  ask: FieldAsk<FieldBrowseRequest>,
): Promise<FieldBrowseResult> {
  const { from = "", after = 0 } = ask.input;
  const { driver, settings, declaration } = await judged(deps, ask);
  if (!declaration.capabilities.browse)
    throw new AppError("field.unsupported", `${declaration.label} devices have no places to browse.`);
  const body: FieldBody = { kind: "browse", driver, settings, from, after };
  const done = await tried(deps, ask, body, {
    action: "field.browse",
    about: { ...noted(ask.input), from, after },
  });
  const { ok, shared, roundTripMs, nodes, after: next } = done;
  return { ok, shared, roundTripMs, ...withCause(done), nodes, after: next };
}

const pointOf = ({ address, dataType, scale }: FieldTag): FieldPoint => ({
  address,
  dataType,
  ...(scale === undefined ? {} : { scale: { factor: scale.factor, offset: scale.offset ?? 0 } }),
});

/** A gateway that answers for fewer points than were asked: the rest has no value, and says so. */
const UNREAD = { raw: null, value: null, quality: "bad.unspecified" } as const;

interface Judged {
  driver: string;
  /** As they were asked for, stored secrets opened. */
  settings: Record<string, unknown>;
  declaration: AnyDeclaration;
  decoded: unknown;
}

/** Settings are judged here first: what is wrong with them needs no gateway to be told. */
async function judged(
  deps: FieldDeps,
  { principal, input }: FieldAsk<FieldConnectionRequest>,
): Promise<Judged> {
  const { driver } = input;
  const declaration = declarationOf(driver);
  const settings = await openSettings(deps, principal, driver, input.settings);
  return { driver, settings, declaration, decoded: decodeSettings(declaration, settings) };
}

/** The audit is read by more people than may know the password of a device. */
const noted = ({ driver, settings }: FieldConnectionRequest) => ({
  driver,
  settings: redactData(settings, secretValuesOf(driver, settings), secretNamesOf(driver)) as object,
});

/** The use is audited before it leaves the hub: also one whose answer never comes has been a use. */
async function tried<K extends FieldKind>(
  deps: FieldDeps,
  { principal, gatewayId, signal }: FieldAsk<unknown>,
  body: FieldBody & { kind: K },
  { action, about }: { action: string; about: object },
): Promise<FieldTried<K>> {
  found(await hasGateway(deps.db, gatewayId), "gateway");
  checkTakes(deps.link.fieldOf(gatewayId), body.kind);
  const { db, hubId } = deps;
  const settings = await sealSettings(db, { hubId, gatewayId }, body.driver, body.settings);
  await applyChange(deps, principal, async () => ({
    action,
    subject: `gateway:${gatewayId}`,
    old: null,
    new: { ...about, requestedBy: principal.name },
    result: null,
    gatewayIds: [],
  }));
  const result = await deps.link.ask(gatewayId, { ...body, settings }, signal);
  if (result.kind === "refused") throw refusal(result);
  const shown = "cause" in result ? result.cause?.certificate : undefined;
  if (shown !== undefined) await deps.met.note(gatewayId, [shown], new Date(deps.clock.nowMs()));
  if (result.kind === body.kind) return result as FieldTried<K>;
  throw new AppError("uplink.protocol", `The gateway answered "${result.kind}" to "${body.kind}".`);
}

function checkTakes(takes: ReturnType<FieldLink["fieldOf"]>, kind: FieldKind): void {
  if (takes === "away")
    throw new AppError("field.away", "This gateway is not connected, and tests are not kept for later.");
  if (takes === "busy")
    throw new AppError(
      "request.tooMany",
      "This gateway runs another test at the moment; it takes one at a time.",
    );
  if (takes === "none" || !takes.includes(kind)) {
    throw new AppError(
      "field.unsupported",
      `This gateway cannot do the test "${kind}": its software is older than the hub's.`,
      { context: { kind } },
    );
  }
}

/** What a gateway did not even try. A code of a newer gateway is not in our table; its words still reach the person. */
function refusal({ code, message }: { code: string; message: string }): AppError {
  return new AppError(Object.hasOwn(ERROR, code) ? (code as ErrorCode) : "field.unsupported", message);
}
