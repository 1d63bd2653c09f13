import type { Device, Profile, Site, Tag } from "@millrace/contract/api/plant";
import type { DataType } from "@millrace/contract/vocabulary/value";
import { enrolSim, type SimIdentity } from "../../faults/sim-gateway.ts";
import type { Stack } from "../../stack/stack.ts";
import type { Habit } from "../plant-data.ts";
import type { SetTag } from "./data-set.ts";

const TYPES: Record<Habit, DataType> = {
  decimal: "float64",
  float32: "float32",
  float64: "float64",
  counter: "int64",
  boolean: "boolean",
  text: "text",
};

/** Never read, for nobody polls here, yet judged like any address. */
const addressOf = (habit: Habit, register: number): string =>
  habit === "boolean"
    ? `holding:${register}.0`
    : habit === "text"
      ? `holding:${register} length=4`
      : `holding:${register}`;

/** A gateway of its own with one device, whose tags have these habits in this order. */
export async function addTagSet(
  stack: Stack,
  name: string,
  habits: readonly Habit[],
): Promise<{ identity: SimIdentity; tags: SetTag[] }> {
  const { api } = stack;
  const [site] = await api.all<Site>("/sites");
  const identity = await enrolSim(api, name, site!.id);
  const profile = await api.post<Profile>("/profiles", {
    name,
    driver: "modbus",
    settings: {},
    tags: habits.map((habit, index) => ({
      name: `${String(index).padStart(3, "0")} ${habit}`,
      address: addressOf(habit, index * 4),
      dataType: TYPES[habit],
    })),
  });
  const device = await api.post<Device>("/devices", {
    name,
    profileId: profile.id,
    gatewayId: identity.gatewayId,
    siteId: site!.id,
    settings: { host: "127.0.0.1", port: 9, unit: 1 },
  });
  const tags = await api.all<Tag>(`/tags?deviceId=${device.id}`);
  tags.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { identity, tags: tags.map(({ tagNo }, index) => ({ tagNo, habit: habits[index]! })) };
}
