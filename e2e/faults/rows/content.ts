import { forge } from "../forge.ts";
import { type Rig, until } from "../rig.ts";
import type { FaultRow } from "../row.ts";
import { enrolSim, SimGateway, sampleFrame } from "../sim-gateway.ts";

/** A frame kind that no program of today makes. */
const FUTURE_KIND = 200;

interface Kept {
  code: string;
  bytes: number;
}

const quarantineOf = async (rig: Rig, gatewayId: string): Promise<Kept[]> =>
  await rig.sql`
    SELECT q.code, length(q.body) AS bytes FROM ingest_quarantine q JOIN gateway g USING (gateway_no)
    WHERE g.id = ${gatewayId}::uuid ORDER BY q.first`;

async function session(rig: Rig, name: string, edit?: ConstructorParameters<typeof SimGateway>[2]) {
  const { siteId } = await rig.gateway();
  const identity = await enrolSim(rig.stack.api, `${name} ${Date.now()}`, siteId);
  return new SimGateway(rig.stack.hubUrl, identity, edit);
}

/** What a session of some version comes to: welcomed and acknowledged, or the hub's own word for no. */
async function tried(gateway: SimGateway): Promise<string> {
  try {
    await gateway.connect(10_000);
    gateway.sendSamples(5);
    await until(5_000, "acknowledged", () => gateway.hwm >= 1, 10);
    return "works";
  } catch {
    return gateway.end?.code ?? "hangs";
  } finally {
    gateway.close();
  }
}

/** F47 */
export const versions: FaultRow = {
  row: "F47",
  injected:
    "a gateway without the newer fields of the hello, one with fields and a frame kind of the future, one with a future protocol",
  criterion: "works, or a refusal with a reason; the unknown frame is kept, not dropped",
  lane: "work",
  async run(context) {
    const rig = await context.rig();
    const older = await tried(await session(rig, "Older"));
    const newer = await session(rig, "Newer", (body) => ({ ...body, futureField: { a: 1 } }) as never);
    const newerResult = await tried(newer);
    await newer.connect();
    const { epoch, gatewayId } = newer.identity;
    const seq = newer.hwm + 1;
    newer.raw(forge(sampleFrame(seq, epoch, 10, Date.now()), { kind: FUTURE_KIND }));
    newer.raw(sampleFrame(seq + 1, epoch, 10, Date.now()));
    await until(5_000, "frames after the unknown one are applied", () => newer.hwm > seq).catch(() => 0);
    newer.close();
    const kept = await quarantineOf(rig, gatewayId);
    const future = await tried(await session(rig, "Future", (body) => ({ ...body, protocol: 99 })));
    return {
      measured: `older: ${older}; newer fields: ${newerResult}; unknown kind: ${kept.length} frame kept (${kept[0]?.code}), mark ${newer.hwm} of ${seq + 1}; protocol 99: ${future}`,
      ok:
        older === "works" &&
        (newerResult === "works" || newerResult.startsWith("uplink.")) &&
        kept.length === 1 &&
        newer.hwm === seq + 1 &&
        (future === "works" || future.startsWith("uplink.")),
    };
  },
};
