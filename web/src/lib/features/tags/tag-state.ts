import type { Tag } from "@millrace/contract/api/plant";
import { staleAfterMs } from "@millrace/contract/vocabulary/tag";
import type { Services } from "../../services.ts";
import { stateOf, type ValueState } from "../../state/state-of.ts";

/** State of a tag now, from everything live the page knows; reading it in a component follows all of that. */
export function tagState({ live, lists }: Pick<Services, "live" | "lists">, tag: Tag): ValueState {
  const link = live.gatewayLinks.get(tag.gatewayId);
  const name = lists.gatewayById.get(tag.gatewayId)?.name ?? "";
  return stateOf({
    received: live.box(tag.tagNo).current,
    hub: live.view.at,
    gateway: link === undefined ? undefined : { name, linkState: link.linkState, sinceMs: link.sinceMs },
    staleAfterMs: staleAfterMs(tag.heartbeatMs),
    nowMs: live.nowMs,
  });
}
