import type { Gateway } from "@millrace/contract/api/gateway";
import type { Profile, Site, Tag } from "@millrace/contract/api/plant";
import type { TestHub } from "./hub.ts";

const TYPES = { float: "float32", float64: "float64", int16: "int16", int64: "int64" } as const;
const OTHERS = { uint64: "uint64", boolean: "boolean", text: "text" } as const;
const ALL = { ...TYPES, ...OTHERS };

const ADDRESS: Partial<Record<string, (i: number) => string>> = {
  boolean: (i) => `coil:${i}`,
  text: (i) => `holding:${i * 8} length=8`,
};

export type PlantTags = Record<keyof typeof ALL, Tag>;

/** A small plant: one device with a tag of each kind, named after it. */
export async function addPlant(hub: TestHub): Promise<PlantTags> {
  const make = async <T>(path: string, body: unknown) => {
    const answer = await hub.call<T>("POST", `/api/v1${path}`, body);
    if (answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const site = await make<Site>("/sites", { name: "Plant", kind: "site", parentId: null });
  const gateway = await make<Gateway>("/gateways", { name: "GW", siteId: site.id });
  const tags = Object.entries(ALL).map(([name, dataType], i) => ({
    name,
    dataType,
    address: ADDRESS[dataType]?.(i) ?? `holding:${i * 8}`,
  }));
  const profile = await make<Profile>("/profiles", { name: "P", driver: "modbus", settings: {}, tags });
  const ids = { profileId: profile.id, gatewayId: gateway.id, siteId: site.id };
  await make("/devices", { name: "Machine", ...ids, settings: { host: "10.0.0.1", unit: 1 } });
  const { items } = (await hub.call<{ items: Tag[] }>("GET", "/api/v1/tags?limit=100")).body;
  return Object.fromEntries(items.map((tag) => [tag.name, tag])) as PlantTags;
}
