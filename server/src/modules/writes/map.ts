import type { TagWrite, WriteState } from "@millrace/contract/api/write";
import { mapCommand } from "../commands/service.ts";
import type { ShownWrite } from "./store.ts";

/** @param nowMs the hub's time */
export function mapWrite({ write, path, unit, command }: ShownWrite, nowMs: number): TagWrite {
  const sent = command === null ? null : mapCommand(command, nowMs);
  const { message = "", data = {}, release = null } = command?.result ?? {};
  const { code, before = null, after = null, armedBy } = data;
  return {
    id: write.id,
    tagNo: write.tagNo,
    path,
    unit,
    class: write.writeClass,
    ...write.chosen,
    selectedBy: write.selectedBy,
    selectedAt: write.selectedAt.toISOString(),
    expiresAt: write.expiresAt.toISOString(),
    agreedBy: write.agreedBy,
    state: sent?.state ?? ownState(write.expiresAt, nowMs),
    message,
    code: typeof code === "string" ? code : "",
    before,
    after,
    armedBy: typeof armedBy === "string" ? armedBy : null,
    sentAt: sent?.requestedAt ?? null,
    answeredAt: sent?.answeredAt ?? null,
    release: release && { ...release, at: new Date(release.at).toISOString() },
  };
}

const ownState = (expiresAt: Date, nowMs: number): WriteState =>
  nowMs < expiresAt.getTime() ? "selected" : "lapsed";
