import type { Claim } from "@millrace/contract/api/enrolment";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { Device, Profile, Site } from "@millrace/contract/api/plant";
import type { HubApi } from "./api.ts";
import { AREAS, KINDS, MACHINES, type Machine, SITE } from "./plant/machines.ts";

export type PlantPorts = Record<Machine["line"], number>;

const GATEWAY = "Gateway 1";

const settingsOf = (machine: Machine, ports: PlantPorts) => ({
  host: "127.0.0.1",
  port: ports[machine.line],
  unit: machine.unit,
});

/**
 * Builds the small demo plant at the hub, through the API a customer would use: sites, device profiles, a gateway,
 * devices. Returns the claim token of a gateway that has no machine yet, else null. Run again, it only corrects the
 * ports of the simulated machines.
 */
export async function seedDemoPlant(api: HubApi, ports: PlantPorts): Promise<string | null> {
  const gateways = await api.all<Gateway>("/gateways");
  const known = gateways.find((gateway) => gateway.name === GATEWAY);
  if (known) {
    await correctPorts(api, ports);
    return known.enrolment === "unclaimed" ? claim(api, known.id) : null;
  }
  const site = await api.post<Site>("/sites", { name: SITE, kind: "site", parentId: null });
  const areas = new Map<string, string>();
  for (const name of AREAS) {
    const area = await api.post<Site>("/sites", { name, kind: "area", parentId: site.id });
    areas.set(name, area.id);
  }
  const profiles = new Map<string, string>();
  for (const { profile: name, settings, tags } of KINDS) {
    const plain = tags.map(({ at: _at, signal: _signal, ...tag }) => tag);
    const profile = await api.post<Profile>("/profiles", { name, driver: "modbus", settings, tags: plain });
    profiles.set(name, profile.id);
  }
  const gateway = await api.post<Gateway>("/gateways", { name: GATEWAY, siteId: site.id });
  for (const machine of MACHINES) {
    await api.post<Device>("/devices", {
      name: machine.name,
      profileId: profiles.get(machine.kind.profile),
      gatewayId: gateway.id,
      siteId: areas.get(machine.area),
      settings: settingsOf(machine, ports),
    });
  }
  return claim(api, gateway.id);
}

const claim = async (api: HubApi, gatewayId: string): Promise<string> =>
  (await api.post<Claim>(`/gateways/${gatewayId}/claims`, {})).claimToken;

/** The plant's ports may have been taken by somebody else since the last start. */
async function correctPorts(api: HubApi, ports: PlantPorts): Promise<void> {
  const devices = await api.all<Device>("/devices");
  for (const machine of MACHINES) {
    const device = devices.find((candidate) => candidate.name === machine.name);
    if (!device || device.settings.port === ports[machine.line]) continue;
    const { name, profileId, gatewayId, siteId, enabled } = device;
    const settings = { ...device.settings, ...settingsOf(machine, ports) };
    await api.put(
      `/devices/${device.id}`,
      { name, profileId, gatewayId, siteId, enabled, settings },
      { "if-match": `"${device.revision}"` },
    );
  }
}
