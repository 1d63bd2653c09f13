import type { Device } from "@millrace/contract/api/plant";
import { isWhole, verdictText } from "../ledger/compare.ts";
import { type Rig, until } from "../rig.ts";
import type { FaultRow } from "../row.ts";
import { enrolSim, SimGateway } from "../sim-gateway.ts";

interface Signed {
  json: string;
  signature: string;
}

interface Offer {
  type: string;
  signed: Signed;
}

const decode = (payload: Uint8Array): Offer => JSON.parse(new TextDecoder().decode(payload)) as Offer;

/** Makes the hub publish a new manifest. */
async function edit(rig: Rig, device: Device): Promise<void> {
  await rig.enable(device.id, false);
  await rig.enable(device.id, true);
}

/** Puts `forged` in the place of the next manifest on the line; returns what the gateway answered, as the hub knows it. */
async function refusedWith(rig: Rig, device: Device, forged: (offer: Signed) => Signed): Promise<string> {
  await rig.linkUp();
  rig.proxy.onDown = ({ binary, payload }) => {
    if (binary) return null;
    const offer = decode(payload);
    if (offer.type !== "manifest") return null;
    return [{ binary, payload: Buffer.from(JSON.stringify({ ...offer, signed: forged(offer.signed) })) }];
  };
  await edit(rig, device);
  let error = "";
  await until(10_000, "the gateway refuses", async () => {
    error = (await rig.gateway()).manifestError ?? "";
    return error !== "";
  });
  rig.proxy.onDown = null;
  await edit(rig, device);
  await settled(rig);
  return error.split(":")[0]!;
}

const settled = (rig: Rig): Promise<number> =>
  until(20_000, "the gateway runs the wanted manifest", async () => {
    const { manifestWanted, manifestRunning, manifestError } = await rig.gateway();
    return manifestWanted === manifestRunning && manifestError === null;
  });

/** A manifest that this hub signed, for somebody else. */
async function foreignManifest(rig: Rig): Promise<Signed> {
  const { siteId } = await rig.gateway();
  const identity = await enrolSim(rig.stack.api, `Stranger ${Date.now()}`, siteId);
  const stranger = new SimGateway(rig.stack.hubUrl, identity);
  await stranger.connect();
  await until(5_000, "the stranger gets a manifest", () => stranger.manifest !== null);
  stranger.close();
  return stranger.manifest as Signed;
}

/** The gateway dies when a manifest reaches it, some ms later each time. */
async function killInApply(rig: Rig, device: Device, delayMs: number): Promise<void> {
  await rig.linkUp();
  const struck = new Promise<void>((done) => {
    rig.proxy.onDown = ({ binary, payload }) => {
      if (binary || decode(payload).type !== "manifest") return null;
      rig.proxy.onDown = null;
      setTimeout(() => {
        rig.endsMs.push(Date.now());
        rig.stack.gateway.process.kill("SIGKILL");
        done();
      }, delayMs);
      return null;
    };
  });
  await edit(rig, device);
  await struck;
  await rig.stack.gateway.process.exited;
  await rig.startGateway();
}

/** F37 */
export const wrongManifest: FaultRow = {
  row: "F37",
  injected:
    "a manifest unsigned, changed, meant for another gateway, stale; and the gateway killed while it applies one",
  criterion:
    "each refused with a reason while the old one runs on; after a kill the old or the new runs whole",
  lane: "work",
  async run(context) {
    const rig = await context.rig();
    await rig.linkUp();
    const mark = rig.mark();
    const devices = await rig.stack.api.all<Device>("/devices");
    const device = devices.find(({ name }) => name === "Press 2")!;
    let stale: Signed | null = null;
    const foreign = await foreignManifest(rig);
    const refusals = [
      await refusedWith(rig, device, (offer) => {
        stale ??= offer;
        return { ...offer, signature: Buffer.alloc(64).toString("base64url") };
      }),
      await refusedWith(rig, device, (offer) => ({
        ...offer,
        json: offer.json.replace("Press 2", "Press 3"),
      })),
      await refusedWith(rig, device, () => foreign),
      await refusedWith(rig, device, () => stale!),
    ];
    const kills = context.times(3, 100);
    for (let i = 0; i < kills; i++) await killInApply(rig, device, context.random() * 30);
    await rig.linkUp();
    await settled(rig);
    const verdict = await rig.verdict(mark);
    return {
      measured: `refused as ${refusals.join(", ")}; ${kills} kills, the wanted manifest runs after each; ${verdictText(verdict)}`,
      ok: isWhole(verdict) && refusals.every((code) => code.startsWith("manifest.")),
    };
  },
};
