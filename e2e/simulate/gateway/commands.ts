import type { Command } from "@millrace/contract/wire/command";
import { hubOffset, withHubTime } from "../../../gateway/src/clock/hub-offset.ts";
import { type CommandDesk, openCommandDesk } from "../../../gateway/src/commands/desk.ts";
import type { HubTime } from "../../../gateway/src/uplink/hub-time.ts";
import { lendCommandFile } from "./command-record.ts";
import type { GatewayProgram } from "./program.ts";
import { Killed } from "./worker.ts";

/** A file beside the buffer is flushed with its folder, which takes some disks several times as long. */
const STALL = 5;

/** The gateway's real desk for commands, with its record on the disk of the world. */
export class Commands {
  #desk: CommandDesk | null = null;
  #heard: readonly HubTime[] = [];

  constructor(private readonly gateway: GatewayProgram) {}

  async open(): Promise<void> {
    const { gateway } = this;
    const { site, clock } = gateway;
    const folder = `boot ${gateway.bootNo}`;
    lendCommandFile(folder, {
      read: () => site.disk.commands,
      write: (known) => this.#write(known),
    });
    this.#desk = await openCommandDesk({
      folder,
      clock,
      hubNowMs: () => this.#hubNowMs(),
      isGenuine: () => true,
      perform: async (body) => {
        if (body.kind === "restartDevice") await this.#execute(body.deviceId);
        return { message: "The device was restarted." };
      },
      report: (event) => gateway.record(event),
    });
  }

  /** Takes as long as the disk does; a death on the way means that nobody hears of it. */
  #write(known: Parameters<GatewayProgram["site"]["disk"]["writeCommands"]>[0]): Promise<void> {
    const { site, clock } = this.gateway;
    return new Promise((resolve, reject) => {
      clock.after(site.chance.magnitude(0.1, site.slowMs() * STALL), () => {
        try {
          site.disk.writeCommands(known);
        } catch (thrown) {
          if (!(thrown instanceof Killed)) reject(thrown);
          return;
        }
        clock.after(0.1, resolve);
      });
    });
  }

  /** A device is restarted: that is the effect, and it takes a moment to end. */
  #execute(deviceId: string): Promise<void> {
    const { site, clock } = this.gateway;
    site.watch.executed(deviceId);
    return new Promise((resolve) => clock.after(site.chance.magnitude(1, 5_000), resolve));
  }

  #hubNowMs(): number | null {
    const offset = hubOffset(this.#heard);
    return offset && offset.offsetMs + this.gateway.clock.monoMs();
  }

  hubSaid(time: HubTime): void {
    this.#heard = withHubTime(this.#heard, time);
  }

  get highestNo(): number {
    return this.#desk?.highestNo() ?? 0;
  }

  take(command: Command): void {
    void this.#desk?.take(command);
  }
}
