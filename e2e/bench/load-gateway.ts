import type { Claim } from "@millrace/contract/api/enrolment";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { Profile, Site } from "@millrace/contract/api/plant";
import type { Stack } from "../stack/stack.ts";

/** A gateway of its own for a load, with tags that no driver reads. Returns its claim token. */
export async function addLoadGateway(stack: Stack, tags: number, name = "Load"): Promise<string> {
  const { api } = stack;
  const [site] = await api.all<Site>("/sites");
  const profile = await api.post<Profile>("/profiles", {
    name,
    driver: "modbus",
    settings: {},
    tags: Array.from({ length: tags }, (_, index) => ({
      name: `L${index}`,
      address: index % 10 === 9 ? `holding:${index}.0` : `holding:${index}`,
      dataType: index % 10 === 9 ? "boolean" : "float64",
    })),
  });
  const gateway = await api.post<Gateway>("/gateways", { name: `${name} gateway`, siteId: site!.id });
  await api.post("/devices", {
    name,
    profileId: profile.id,
    gatewayId: gateway.id,
    siteId: site!.id,
    settings: { host: "127.0.0.1", port: 9, unit: 1 },
  });
  return (await api.post<Claim>(`/gateways/${gateway.id}/claims`, {})).claimToken;
}
