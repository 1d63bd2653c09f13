import { type Static, Type } from "@sinclair/typebox";
import { CANDIDATES_MAX, Candidate } from "../driver/modbus/match.ts";
import { PeerCertificate } from "../vocabulary/certificate.ts";
import { Name } from "../vocabulary/id.ts";
import { Scale, TagNumbers } from "../vocabulary/tag.ts";
import { DataType, JsonValue } from "../vocabulary/value.ts";
import { BrowseNode, DriverSettings, FieldBrowse } from "../wire/field.ts";
import { LIMITS } from "../wire/limits.ts";

/** Tools at the device, through its gateway: nothing has to be published, and nothing is ever written to a device. */

const driver = Type.String({ minLength: 1, maxLength: 32, examples: ["modbus"] });

/** Why something did not work, and what to do about it. */
export const FieldProblem = Type.Object({
  code: Type.String(),
  message: Type.String(),
  nextStep: Type.String({ description: "Empty where the message says it already" }),
  certificate: Type.Optional(PeerCertificate),
});
export type FieldProblem = Static<typeof FieldProblem>;

const outcome = {
  ok: Type.Boolean({ description: "The device answered; a refused address is an answer too" }),
  shared: Type.Boolean({
    description: "The connection of the running configuration was used, in turn with its own requests",
  }),
  roundTripMs: Type.Union([Type.Number(), Type.Null()], {
    description: "From the last request to its answer; null when there was none",
  }),
  cause: Type.Optional(FieldProblem),
};

/** `POST /api/v1/gateways/:id/field/connection` */
export const FieldConnectionRequest = Type.Object({ driver, settings: DriverSettings });
export type FieldConnectionRequest = Static<typeof FieldConnectionRequest>;

export const FieldConnectionResult = Type.Object(outcome);
export type FieldConnectionResult = Static<typeof FieldConnectionResult>;

export const FieldTag = Type.Object({
  name: Name,
  address: Type.String({ minLength: 1, maxLength: 500 }),
  dataType: DataType,
  scale: Type.Optional(
    Type.Object({ factor: Scale.properties.factor, offset: Type.Optional(Scale.properties.offset) }),
  ),
});
export type FieldTag = Static<typeof FieldTag>;

/** `POST /api/v1/gateways/:id/field/scan`: `settings` are those of a device without its address. */
export const FieldScanRequest = Type.Object({
  driver,
  settings: DriverSettings,
  network: Type.String({ maxLength: 64, examples: ["192.168.1.0/24"] }),
});
export type FieldScanRequest = Static<typeof FieldScanRequest>;

export const FieldScanResult = Type.Object({
  asked: Type.Integer({ description: "Addresses that were tried" }),
  /** Who took the connection, in the order of addresses. `ok` false: it took it and did not answer. */
  found: Type.Array(Type.Composite([Type.Object({ host: Type.String() }), Type.Object(outcome)])),
});
export type FieldScanResult = Static<typeof FieldScanResult>;

/** `POST /api/v1/gateways/:id/field/read` */
export const FieldReadRequest = Type.Object({
  driver,
  settings: DriverSettings,
  tags: Type.Array(FieldTag, { minItems: 1, maxItems: LIMITS.fieldTagsMax }),
  scanMs: Type.Optional(TagNumbers.properties.scanMs),
});
export type FieldReadRequest = Static<typeof FieldReadRequest>;

export const FieldTagResult = Type.Object({
  name: Name,
  raw: JsonValue,
  value: JsonValue,
  quality: Type.String(),
  cause: Type.Optional(FieldProblem),
});
export type FieldTagResult = Static<typeof FieldTagResult>;

export const FieldReadResult = Type.Object({
  ...outcome,
  requests: Type.Union([Type.Integer(), Type.Null()], {
    description: "Requests one cycle of these tags takes; null when the driver cannot tell",
  }),
  requestsPerSecond: Type.Optional(
    Type.Number({
      description: "With the scanMs of the question; less when they join tags that run already",
    }),
  ),
  tags: Type.Array(FieldTagResult),
});
export type FieldReadResult = Static<typeof FieldReadResult>;

/** `POST /api/v1/gateways/:id/field/match` */
export const FieldMatchRequest = Type.Object({
  driver,
  settings: DriverSettings,
  around: Type.String({ minLength: 1, maxLength: 120, examples: ["holding:100", "40101"] }),
  span: Type.Integer({
    minimum: 0,
    maximum: LIMITS.fieldSpanMax,
    default: 10,
    description: "Registers to look at before and after",
  }),
  displayed: Type.Number({ description: "What the display says" }),
  tolerance: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: 1e12,
      description: "Greatest difference that fits; without it half of the last place of `displayed`",
    }),
  ),
  previous: Type.Optional(
    Type.Array(Candidate, {
      maxItems: CANDIDATES_MAX,
      description: "Candidates of an earlier answer: only these are tried",
    }),
  ),
});
export type FieldMatchRequest = Static<typeof FieldMatchRequest>;

export const FieldMatchResult = Type.Object({
  ...outcome,
  areas: Type.Array(
    Type.Object({
      area: Type.String(),
      from: Type.Integer(),
      to: Type.Integer(),
      readable: Type.Integer({ description: "Registers the device gave" }),
    }),
  ),
  total: Type.Integer({ description: "All readings that fit; the list has the best of them" }),
  candidates: Type.Array(Candidate, { maxItems: CANDIDATES_MAX }),
  hint: Type.String({ description: "What to do next" }),
});
export type FieldMatchResult = Static<typeof FieldMatchResult>;

/** `POST /api/v1/gateways/:id/field/browse`: one place of the device's own address space, a page at a time. */
export const FieldBrowseRequest = Type.Object({
  driver,
  settings: DriverSettings,
  from: Type.Optional(FieldBrowse.properties.from),
  after: Type.Optional(FieldBrowse.properties.after),
});
export type FieldBrowseRequest = Static<typeof FieldBrowseRequest>;

export const FieldBrowseResult = Type.Object({
  ...outcome,
  nodes: Type.Array(BrowseNode),
  after: Type.Union([Type.Integer(), Type.Null()], {
    description: "For the next page; null when this was the last",
  }),
});
export type FieldBrowseResult = Static<typeof FieldBrowseResult>;
