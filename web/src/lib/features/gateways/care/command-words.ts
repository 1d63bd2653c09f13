import type { GatewayCommand } from "@millrace/contract/api/command";

type Told = Pick<GatewayCommand, "state"> & { body: { kind: GatewayCommand["body"]["kind"] } };

const DONE: Record<Told["body"]["kind"], string> = {
  restartDevice: "The gateway closed the connection and opens it again.",
  restartGateway: "The gateway took it and ends its program to begin anew.",
  setLogLevel: "The gateway logs as you asked.",
  writeTag: "It was written and reads back.",
};

const WAITING: Record<Told["body"]["kind"], string> = {
  restartDevice: "Waiting for the gateway to say that it is done.",
  restartGateway: "The gateway was asked. It tells the outcome at the latest when it is back.",
  setLogLevel: "Waiting for the gateway to say that it is done.",
  writeTag: "Waiting for the gateway to say that it is done.",
};

/** What became of something a gateway was asked for. `reason` is the gateway's own sentence, empty when it told none. */
export function outcomeWords({ state, body }: Told, reason: string): { ok: boolean | null; text: string } {
  switch (state) {
    case "sent":
      return { ok: null, text: WAITING[body.kind] };
    case "done":
      return { ok: true, text: DONE[body.kind] };
    case "failed":
      return { ok: false, text: reason === "" ? "The gateway could not do it." : reason };
    case "expired":
      return { ok: false, text: "It reached the gateway too late, so nothing was done. Try again." };
    case "stale":
      return {
        ok: false,
        text: "The gateway had taken a later one already, so nothing was done. Try again.",
      };
    case "unknown":
      return {
        ok: false,
        text: "The gateway told no outcome; it may have happened. Look at the devices before you try again.",
      };
  }
}

/** Whether a gateway that was asked to restart is back. Instants are the hub's; `linkSince` is of its present link state. */
export function backWords(requestedAt: string, isUp: boolean, linkSince: string | null): string {
  if (!isUp) return "It is not back yet.";
  return linkSince !== null && Date.parse(linkSince) > Date.parse(requestedAt)
    ? "It is back."
    : "It is still connected and ends in a moment.";
}

/** False while the outcome may still change: one that the gateway never told counts when it comes late. */
export const isSettled = ({ state, answeredAt }: Pick<GatewayCommand, "state" | "answeredAt">): boolean =>
  state !== "sent" && (state !== "unknown" || answeredAt !== null);
