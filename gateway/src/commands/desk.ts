import { getLogger } from "@logtape/logtape";
import { type AppError, asAppError } from "@millrace/contract/error/app-error";
import { unreachable } from "@millrace/contract/std/assert";
import type { Clock } from "@millrace/contract/std/clock";
import type { Command, CommandBody, CommandOutcome } from "@millrace/contract/wire/command";
import { EVENT, type GatewayEvent } from "@millrace/contract/wire/event";
import { admitCommand, type KnownCommands, withCommand, withOutcome } from "./admit.ts";
import { type CommandRecord, openCommandRecord } from "./record.ts";

const log = getLogger(["gateway", "commands"]);

/** A command that runs longer is left to itself and its outcome is not known; the ones behind it must not wait for it. */
const RUN_MS_MAX = 30_000;
/** Commands that may wait for their turn. They live 30 s, so a longer queue would only expire. */
const WAITING_MAX = 64;
const TEXT_MAX = 500;

export interface CommandDeskInput {
  folder: string;
  clock: Clock;
  /** The hub's time now, ms UTC; null before a hub told it. Never from the machine's wall clock. */
  hubNowMs: () => number | null;
  /** Whether the hub signed this command for this gateway. */
  isGenuine: (command: Command, signature: string) => boolean;
  /** Does it. Rejects when it cannot be done; the words of the error are told. */
  perform: (body: CommandBody, run: Running) => Promise<Performed>;
  /** Puts the outcome into lane E. */
  report: (event: GatewayEvent) => void;
}

/** What a command that runs knows of itself. */
export interface Running {
  commandId: string;
  /** True once it expired: nothing more may leave for a machine. */
  isLate: () => boolean;
}

/** What was done, for people, and what may follow only when the outcome is kept and told. */
export interface Performed {
  message: string;
  /** `done` unless it says otherwise. */
  outcome?: CommandOutcome;
  /** What is told with the outcome. */
  facts?: GatewayEvent["data"];
  afterwards?: () => void;
}

interface Ran extends Performed {
  outcome: CommandOutcome;
}

/** What reaches a machine must be signed; hubs before 0.2 sign nothing and write nothing. */
const mustBeSigned = ({ body }: Command): boolean => body.kind === "writeTag";

/** Takes commands, each at most once and never after it expired; the outcome is the event `command.done`. */
export interface CommandDesk {
  /** Highest number ever taken, for the hello; null when the record is damaged and nobody knows. */
  highestNo(): number | null;
  /** Why no command is taken; null when all is well. */
  problem(): AppError | null;
  /** Resolves when the outcome is reported. Never rejects. */
  take(command: Command, signature?: string): Promise<void>;
  /** Closes the record. What still runs is told as unknown at the next start. */
  close(): void;
}

/**
 * Opens the record and reports what a dying gateway left half done. A damaged record never stops the start: the data
 * matters more than commands, so these are refused until a person has looked.
 */
export async function openCommandDesk(input: CommandDeskInput): Promise<CommandDesk> {
  try {
    const desk = new Desk(input, await openCommandRecord(input.folder), null);
    await desk.closeOpen();
    return desk;
  } catch (thrown) {
    return new Desk(input, null, asAppError(thrown, "outbox.failed"));
  }
}

class Desk implements CommandDesk {
  readonly #input: CommandDeskInput;
  readonly #problem: AppError | null;
  readonly #record: CommandRecord | null;
  #known: KnownCommands;
  #waiting = 0;
  /**
   * One command at a time: the record has one writer, and expiry is judged when a command's turn has come. Only writes
   * to machines do not wait for each other's end: a machine that is slow must not let the others' commands expire.
   */
  #turn: Promise<void> = Promise.resolve();

  constructor(input: CommandDeskInput, record: CommandRecord | null, problem: AppError | null) {
    this.#input = input;
    this.#record = record;
    this.#known = record?.found ?? { highestNo: 0, commands: [] };
    this.#problem = problem;
  }

  close(): void {
    this.#record?.close();
  }

  highestNo(): number | null {
    return this.#problem ? null : this.#known.highestNo;
  }

  problem(): AppError | null {
    return this.#problem;
  }

  /** Commands that were begun and never ended: the gateway died in between. */
  async closeOpen(): Promise<void> {
    const open = this.#known.commands.filter(({ outcome }) => outcome === null);
    for (const command of open) {
      this.#known = withOutcome(this.#known, command.commandId, "unknown");
      await this.#record?.keep(this.#known, { ...command, outcome: "unknown" });
    }
    for (const command of open)
      this.#tell(
        command,
        "unknown",
        "The gateway ended while it was carried out; nobody knows how far it got.",
      );
  }

  take(command: Command, signature?: string): Promise<void> {
    if (!this.#isGenuine(command, signature)) {
      this.#tellForged(command);
      return Promise.resolve();
    }
    if (this.#waiting >= WAITING_MAX) {
      this.#tell(command, "failed", `It was not begun: ${WAITING_MAX} commands wait already.`);
      return Promise.resolve();
    }
    this.#waiting++;
    const told = Promise.withResolvers<void>();
    this.#turn = this.#turn
      .then(() => this.#take(command))
      .catch((thrown: unknown) => this.#tell(command, "failed", asAppError(thrown).message))
      .then((runs) => {
        const ended = (runs?.ended ?? Promise.resolve())
          .catch((thrown: unknown) => this.#tell(command, "unknown", asAppError(thrown).message))
          .finally(() => {
            this.#waiting--;
            told.resolve();
          });
        if (runs?.alone !== true) return ended;
      });
    return told.promise;
  }

  #isGenuine(command: Command, signature: string | undefined): boolean {
    return signature === undefined ? !mustBeSigned(command) : this.#input.isGenuine(command, signature);
  }

  /** No outcome is told: whoever forged it may have used the name of a command that is none of his. */
  #tellForged({ commandNo }: Command): void {
    const message = `A command with the number ${commandNo} is not signed by the hub for this gateway. Nothing was done.`;
    log.error("{message}", { message });
    const code = "command.forged";
    this.#input.report({
      timeMs: this.#input.clock.nowMs(),
      code,
      severity: EVENT[code],
      message,
      data: { commandNo },
    });
  }

  /** @returns what still runs; `alone`: the next command does not wait for it */
  async #take(command: Command): Promise<{ ended: Promise<void>; alone: boolean } | void> {
    if (this.#problem) return this.#tell(command, "failed", this.#problem.message);
    const verdict = admitCommand(this.#known, command, this.#input.hubNowMs());
    switch (verdict.do) {
      case "repeat":
        return this.#tell(command, verdict.outcome, "It was taken before; nothing was done again.");
      case "stale":
        return this.#tell(
          command,
          "stale",
          `This gateway has taken number ${this.#known.highestNo} already, so the hub has gone back in time. Nothing was done.`,
        );
      case "expired":
        await this.#keep(command, "expired");
        return this.#tell(command, "expired", this.#lateness(command));
      case "refuse":
        await this.#keep(command, "failed");
        return this.#tell(command, "failed", `${verdict.why} Nothing was done.`);
      case "execute":
        await this.#keep(command, null);
        return { ended: this.#execute(command), alone: command.body.kind === "writeTag" };
      default:
        return unreachable(verdict);
    }
  }

  async #execute(command: Command): Promise<void> {
    const isLate = () => {
      const hubNowMs = this.#input.hubNowMs();
      return hubNowMs === null || hubNowMs >= command.expiresMs;
    };
    // Keeping it took a flush, and a disk may stand still for seconds.
    const ran: Ran = isLate()
      ? { outcome: "expired", message: this.#lateness(command) }
      : await this.#run(command.body, { commandId: command.commandId, isLate });
    const { outcome, message } = ran;
    this.#known = withOutcome(this.#known, command.commandId, outcome);
    const { commandId, commandNo } = command;
    const atMs = this.#input.clock.nowMs();
    // When the disk refuses, the record still says that it was begun, so it never runs again; the outcome is told.
    await this.#record?.keep(this.#known, { commandId, commandNo, atMs, outcome }).catch(() => undefined);
    this.#tell(command, outcome, message, ran.facts);
    ran.afterwards?.();
  }

  /** Durable before anything is done: a gateway that dies now must not begin this command again. */
  async #keep({ commandId, commandNo }: Command, outcome: CommandOutcome | null): Promise<void> {
    const atMs = this.#input.clock.nowMs();
    const one = { commandId, commandNo, atMs, outcome };
    await this.#record?.keep(withCommand(this.#known, one), one);
    // Not what was kept: a write that ended meanwhile has put its outcome there.
    this.#known = withCommand(this.#known, one);
  }

  async #run(body: CommandBody, running: Running): Promise<Ran> {
    const { clock } = this.#input;
    const ended = new AbortController();
    const tooLong = clock.sleep(RUN_MS_MAX, ended.signal).then(
      () => ({ outcome: "unknown" as const, message: `It still ran after ${RUN_MS_MAX / 1_000} s.` }),
      () => ({ outcome: "unknown" as const, message: "" }),
    );
    const done = this.#input.perform(body, running).then(
      (performed) => ({ ...performed, outcome: performed.outcome ?? ("done" as const) }),
      (thrown: unknown) => ({ outcome: "failed" as const, message: asAppError(thrown).message }),
    );
    const result: Ran = await Promise.race([done, tooLong]);
    ended.abort();
    return result;
  }

  #lateness({ expiresMs }: Command): string {
    const hubNowMs = this.#input.hubNowMs();
    return hubNowMs === null
      ? "The hub's time is not known, so nobody can say whether it has expired. Nothing was done."
      : `It expired ${Math.round(hubNowMs - expiresMs)} ms before its turn. Nothing was done.`;
  }

  #tell(
    command: Pick<Command, "commandId" | "commandNo">,
    outcome: CommandOutcome,
    what: string,
    facts: GatewayEvent["data"] = {},
  ): void {
    const { commandId, commandNo } = command;
    this.#input.report({
      timeMs: this.#input.clock.nowMs(),
      code: "command.done",
      severity: EVENT["command.done"],
      message: `Command ${commandNo} is ${outcome}. ${what}`.slice(0, TEXT_MAX),
      data: { ...facts, commandId, commandNo, outcome },
    });
  }
}
