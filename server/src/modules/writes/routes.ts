import {
  TagWrite,
  WriteSelect,
  WritesOfDevice,
  WritesOfTag,
  WritesQuery,
} from "@millrace/contract/api/write";
import { EntityId, TagNo } from "@millrace/contract/vocabulary/id";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, atDevice, atTag, type Gatekeeper } from "../../http/access.ts";
import { asQuery } from "../../http/query.ts";
import {
  agreeToWrite,
  executeWrite,
  getWrite,
  selectWrite,
  type WriteDeps,
  writesOfDevice,
  writesOfTag,
} from "./service.ts";

const OfTag = asQuery(Type.Object({ tagNo: TagNo }));
const One = asQuery(Type.Object({ tagNo: TagNo, id: EntityId }));

export const writeRoutes = (deps: WriteDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1", detail: { tags: ["Writing"] } })
    .use(access(deps.gatekeeper))
    .get("/devices/:id/writes", ({ params, query }) => writesOfDevice(deps, params.id, query), {
      can: atDevice("sample.read"),
      params: Type.Object({ id: EntityId }),
      query: asQuery(WritesQuery),
      response: { 200: WritesOfDevice },
      detail: { summary: "Writes to the tags of a device and what became of them, the latest first" },
    })
    .get("/tags/:tagNo/writes", ({ params }) => writesOfTag(deps, params.tagNo), {
      can: atTag("sample.read"),
      params: OfTag,
      response: { 200: WritesOfTag },
      detail: { summary: "The newest writes to a tag and what became of them" },
    })
    .get("/tags/:tagNo/writes/:id", ({ params }) => getWrite(deps, params.tagNo, params.id), {
      can: atTag("sample.read"),
      params: One,
      response: { 200: TagWrite },
      detail: { summary: "One write and what became of it" },
    })
    .post(
      "/tags/:tagNo/writes",
      async ({ params, body, principal, status }) =>
        status(201, await selectWrite(deps, principal, params.tagNo, body)),
      {
        can: atTag("tag.write"),
        params: OfTag,
        body: WriteSelect,
        response: { 201: TagWrite },
        detail: { summary: "Choose a value to write; nothing is written before it is carried out" },
      },
    )
    .post(
      "/tags/:tagNo/writes/:id/agree",
      ({ params, principal }) => agreeToWrite(deps, principal, params.tagNo, params.id),
      {
        can: atTag("tag.write"),
        params: One,
        response: { 200: TagWrite },
        detail: { summary: "Agree, as the second person, to a value somebody else chose" },
      },
    )
    .post(
      "/tags/:tagNo/writes/:id/execute",
      ({ params, principal }) => executeWrite(deps, principal, params.tagNo, params.id),
      {
        can: atTag("tag.write"),
        params: One,
        response: { 200: TagWrite },
        detail: { summary: "Carry out one's own choice, once and at once" },
      },
    );
