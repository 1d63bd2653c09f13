import { expect } from "bun:test";
import type { ConfigPlan } from "@millrace/contract/api/config";
import type { Tag } from "@millrace/contract/api/plant";
import { API_KEY, type TestHub } from "./hub.ts";

/** A plant to bring files into: two profiles, one gateway, one device. */
export const FILES_PLANT = `
millrace: 1
sites:
  Plant: {kind: site}
  Plant/Hall 1: {kind: area}
gateways:
  Hall 1: {site: Plant}
profiles:
  Meter:
    driver: modbus
    tags:
      - {name: Power, address: "holding:100", dataType: float32, unit: kW, deadband: 0.1}
      - {name: Fault, address: "coil:1", dataType: boolean}
  Press: {driver: modbus, settings: {port: 503}, tags: []}
devices:
  Plant/Hall 1/Meter 1: {profile: Meter, gateway: Hall 1, settings: {host: 10.0.0.5}}
`;

export interface CellProblem {
  at: string;
  row?: number;
  column: string;
  cell: string;
  message: string;
}
export interface FileProblem {
  code: string;
  detail: string;
  context: { problems: CellProblem[]; problemCount: number };
}

export const authorization = `Bearer ${API_KEY}`;

/** Files into a hub and out of it. */
export class ConfigFiles {
  constructor(private readonly hub: TestHub) {}

  async reset(plant = FILES_PLANT): Promise<void> {
    const headers = { authorization, "content-type": "application/yaml" };
    const path = "/api/v1/config?prune=true";
    expect((await this.hub.ask(path, { method: "PUT", headers, body: plant })).status).toBe(200);
  }

  async send<T = ConfigPlan>(body: BodyInit, query = "", type = "text/csv") {
    const response = await this.hub.ask(`/api/v1/config/import${query}`, {
      method: "POST",
      headers: { authorization, "content-type": type },
      body,
    });
    return { status: response.status, body: (await response.json()) as T };
  }

  async refused(body: BodyInit, query = "", type = "text/csv") {
    const answer = await this.send<FileProblem>(body, query, type);
    expect([answer.status, answer.body.code]).toEqual([422, "request.invalid"]);
    return answer.body.context;
  }

  exported(query: string): Promise<Response> {
    return this.hub.ask(`/api/v1/config/export?${query}`, { headers: { authorization } });
  }

  async version(): Promise<string> {
    return (await this.hub.call("GET", "/api/v1/config")).headers.get("etag") ?? "";
  }

  async tagsOf(profile: string) {
    const { body } = await this.hub.call<{ profiles: Record<string, { tags: Partial<Tag>[] }> }>(
      "GET",
      "/api/v1/config",
    );
    return body.profiles[profile]?.tags;
  }
}
