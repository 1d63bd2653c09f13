import { getLogger } from "@logtape/logtape";
import { AppError } from "@millrace/contract/error/app-error";
import { unreachable } from "@millrace/contract/std/assert";
import type { Clock } from "@millrace/contract/std/clock";
import type { CommandBody } from "@millrace/contract/wire/command";
import type { LogForward } from "../logs/forward.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { Fleet } from "../supervisor/fleet.ts";
import type { Performed, Running } from "./desk.ts";
import { performWrite, type WriteDeps, type WritePermit } from "./write.ts";

const log = getLogger(["gateway", "commands"]);

/** Between the outcome and the end of the program, so that whoever asked usually hears it before the link goes. */
export const RESTART_AFTER_MS = 500;

export interface PerformDeps {
  clock: Clock;
  fleet: Pick<Fleet, "restart" | "writeTarget">;
  permit: WritePermit;
  holds: WriteDeps["holds"];
  outbox: Pick<Outbox, "stats">;
  logs: Pick<LogForward, "setLevel">;
  onRestart: () => void;
}

/** What each kind of command does. Errors are told to whoever asked. */
export const performer =
  ({ clock, fleet, permit, holds, outbox, logs, onRestart }: PerformDeps) =>
  async (body: CommandBody, running: Running): Promise<Performed> => {
    switch (body.kind) {
      case "restartDevice":
        await fleet.restart(body.deviceId);
        return { message: "The device was restarted." };
      case "restartGateway":
        if (!(await outbox.stats()).durable)
          throw new AppError(
            "outbox.failed",
            "The disk refuses and samples are kept in memory only: a restart now would lose them. Nothing was done.",
          );
        log.warn("this gateway restarts: somebody asked for it at the hub");
        return {
          message: "The gateway ends now; what supervises it starts it again.",
          afterwards: () => void clock.after(RESTART_AFTER_MS, onRestart),
        };
      case "setLogLevel":
        logs.setLevel(body.level, body.minutes);
        return { message: `Log records from ${body.level} on are sent for ${body.minutes} min.` };
      case "writeTag":
        return await performWrite({ clock, fleet, permit, holds }, body, running);
      default:
        return unreachable(body);
    }
  };
