import type { GatewaySparkplug, GatewaySparkplugPut } from "@millrace/contract/api/sparkplug";
import { wholeProblems } from "@millrace/contract/driver/check";
import { AppError } from "@millrace/contract/error/app-error";
import { sparkplugNodeOf } from "@millrace/contract/sparkplug/id";
import { sparkplugDeclaration } from "@millrace/contract/sparkplug/settings";
import type { Db, Tx } from "../../db/client.ts";
import type { Principal } from "../../http/principal.ts";
import { checkRevision } from "../../http/revision.ts";
import { applyConfigChange, type ChangeDeps, found } from "../change.ts";
import { contentOf } from "../config/state-store.ts";
import { checkDriver } from "../driver-check.ts";
import { keepSecrets, shownSettings } from "../secrets/service.ts";
import { findEdgeNode, findEdgeNodes, lockGateway, updateSparkplug } from "./store.ts";

/** @throws AppError `entity.missing` */
export async function getSparkplug({ db }: { db: Db }, id: string): Promise<GatewaySparkplug> {
  const { name, siteName, sparkplug, revision } = found(await findEdgeNode(db, id), "gateway");
  return {
    settings: sparkplug === null ? null : shownSettings(sparkplug, "gateways", name),
    ...sparkplugNodeOf(name, siteName, sparkplug ?? {}),
    revision,
  };
}

/**
 * Makes a gateway a Sparkplug edge node, changes how, or ends it.
 * @throws AppError `entity.missing` | `entity.conflict` when somebody else was quicker | `request.invalid`
 */
export async function putSparkplug(
  deps: ChangeDeps,
  principal: Principal,
  id: string,
  revision: number,
  input: GatewaySparkplugPut,
): Promise<GatewaySparkplug> {
  await applyConfigChange(deps, principal, async (tx) => {
    const old = found(await lockGateway(tx, id), "gateway");
    checkRevision(revision, old.revision);
    const sparkplug =
      input.settings && (await closed(deps, tx, principal, { ...old, wanted: input.settings }));
    await updateSparkplug(tx, id, sparkplug, old.revision + 1);
    const subject = `gateway:${id}`;
    return {
      action: "gateway.sparkplug",
      subject,
      old: { sparkplug: old.sparkplug },
      new: { sparkplug },
      result: null,
      gatewayIds: [id],
      entries: [{ kind: "gateway", id, what: "changed", content: contentOf.gateway({ ...old, sparkplug }) }],
    };
  });
  return await getSparkplug(deps, id);
}

/** The settings as the row keeps them, judged. */
async function closed(
  deps: ChangeDeps,
  tx: Tx,
  principal: Principal,
  gateway: { id: string; sparkplug: Record<string, unknown> | null; wanted: Record<string, unknown> },
): Promise<Record<string, unknown>> {
  const { id, wanted, sparkplug: before } = gateway;
  const written = {
    kind: "gateway",
    id,
    driver: sparkplugDeclaration.kind,
    settings: wanted,
    before,
  } as const;
  const settings = await keepSecrets(deps, tx, principal, written);
  checkDriver(wholeProblems(sparkplugDeclaration as never, settings));
  const nodes = await findEdgeNodes(tx);
  const own = nodes.find((one) => one.id === id);
  const nodeOf = (name: string, siteName: string, of: Record<string, unknown>): string =>
    Object.values(sparkplugNodeOf(name, siteName, of)).join("/");
  const node = own && nodeOf(own.name, own.siteName, settings);
  const other = nodes.find(
    (one) =>
      one.id !== id && one.sparkplug !== null && nodeOf(one.name, one.siteName, one.sparkplug) === node,
  );
  if (other !== undefined)
    throw new AppError(
      "request.invalid",
      `body/settings/edgeNodeId: gateway "${other.name}" is the edge node ${node} already.`,
    );
  return settings;
}
