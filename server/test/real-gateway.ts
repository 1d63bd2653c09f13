import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@millrace/contract/std/clock";
import type { TestHub } from "./hub.ts";

export interface RealGateway extends AsyncDisposable {
  /** Kills it as a power cut does. */
  kill(): Promise<void>;
}

const READY_MS_MAX = 20_000;

/** A gateway as its own process that becomes `gatewayId` of this hub, which must listen. Resolves when its link is up. */
export async function realGateway(hub: TestHub, gatewayId: string): Promise<RealGateway> {
  const { body } = await hub.call<{ claimToken: string }>("POST", `/api/v1/gateways/${gatewayId}/claims`);
  const folder = await mkdtemp(join(tmpdir(), "millrace-gateway-"));
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "../../gateway/src/main.ts")], {
    env: {
      PATH: process.env.PATH ?? "",
      MILLRACE_DATA: folder,
      MILLRACE_HUB_URL: `http://127.0.0.1:${hub.app.server?.port}`,
      MILLRACE_CLAIM_TOKEN: body.claimToken,
      MILLRACE_LOCAL_PORT: "0",
      MILLRACE_LOG_LEVEL: "warning",
    },
    stdout: "ignore",
    stderr: "inherit",
  });
  const kill = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  const deadline = systemClock.monoMs() + READY_MS_MAX;
  while (hub.ingest.sessions.linkOf(gatewayId).linkState !== "up") {
    if (systemClock.monoMs() > deadline || child.exitCode !== null) {
      await kill();
      throw new Error(`the gateway did not connect; exit code ${child.exitCode}`);
    }
    await systemClock.sleep(50);
  }
  return {
    kill,
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
