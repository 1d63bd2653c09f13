import { HubCertificate } from "@millrace/contract/api/certificate";
import { AppError } from "@millrace/contract/error/app-error";
import { Elysia } from "elysia";
import { access, type Gatekeeper, whole } from "../http/access.ts";
import { certificateView, type HubTls, trustAnswer } from "./hub-tls.ts";

export const tlsRoutes = ({ tls, gatekeeper }: { tls: HubTls; gatekeeper: Gatekeeper }) => {
  const open =
    "a phone or a gateway reads here what to trust before it trusts anything; nothing of it is secret";
  const answer = ({ request }: { request: Request }): Response => {
    const found = trustAnswer(tls, new URL(request.url).pathname);
    if (found === null) throw new AppError("route.unknown", "There is nothing at this address.");
    return found;
  };
  return new Elysia({ detail: { tags: ["Operation"] } })
    .use(access(gatekeeper))
    .get("/trust", answer, { open, detail: { summary: "How a phone learns to trust this hub" } })
    .get("/trust/*", answer, {
      open,
      detail: { summary: "The hub's authority, as files and signed for gateways" },
    })
    .get("/api/v1/system/certificate", () => certificateView(tls), {
      can: whole("system.read"),
      response: { 200: HubCertificate },
      detail: { summary: "The hub's certificate: kind, names, end, fingerprint" },
    });
};
