import type { LoneHub } from "./hub.ts";
import type { Known } from "./mutate.ts";

/** What is in the hub for attacks to find. */
export interface Plant {
  siteId: string;
  profileId: string;
  gatewayId: string;
  tagNos: number[];
  known: Known;
}

let plants = 0;

/** One more plant, as attacks take apart the one before. */
export async function seedPlant({ api }: LoneHub): Promise<Plant> {
  const no = ++plants;
  const { id: siteId } = await api.post<{ id: string }>("/sites", {
    name: `Works ${no}`,
    kind: "site",
    parentId: null,
  });
  const tags = [
    { name: "Pressure", address: "holding:0", dataType: "float32" },
    { name: "Count", address: "holding:4", dataType: "int64" },
  ];
  const { id: profileId } = await api.post<{ id: string }>("/profiles", {
    name: `Press ${no}`,
    driver: "modbus",
    settings: {},
    tags,
  });
  const gateway = await api.post<{ id: string }>("/gateways", { name: `Hall ${no}`, siteId });
  const device = await api.post<{ id: string }>("/devices", {
    name: `Press ${no}`,
    profileId,
    gatewayId: gateway.id,
    siteId,
    settings: { host: "127.0.0.1", port: 9, unit: 1 },
  });
  const found = await api.all<{ tagNo: number }>(`/tags?gatewayId=${gateway.id}`);
  const missing = "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55";
  return {
    siteId,
    profileId,
    gatewayId: gateway.id,
    tagNos: found.map(({ tagNo }) => tagNo),
    known: {
      ids: [siteId, profileId, gateway.id, device.id, missing, "latest"],
      numbers: [0, 1, 2, 99, ...found.map(({ tagNo }) => tagNo)],
    },
  };
}
