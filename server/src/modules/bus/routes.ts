import { BusAnswer, BusQuery } from "@millrace/contract/api/bus";
import { EntityId } from "@millrace/contract/vocabulary/id";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import type { Db } from "../../db/client.ts";
import { access, atGateway, type Gatekeeper } from "../../http/access.ts";
import { requireGateway } from "../gateways/service.ts";
import { type BusLink, BusLooks } from "./service.ts";

const One = Type.Object({ id: EntityId });

export const busRoutes = ({ link, db, gatekeeper }: { link: BusLink; db: Db; gatekeeper: Gatekeeper }) => {
  const looks = new BusLooks({ link, require: (id) => requireGateway({ db }, id) });
  return new Elysia({ prefix: "/api/v1/gateways", detail: { tags: ["Gateways"] } })
    .use(access(gatekeeper))
    .get("/:id/bus", ({ params, query }) => looks.look(params.id, query), {
      can: atGateway("gateway.read"),
      params: One,
      query: BusQuery,
      response: { 200: BusAnswer },
      detail: {
        summary:
          "The bus doctor: figures of each connection and unit, and what is wrong with the setting to change",
      },
    });
};
