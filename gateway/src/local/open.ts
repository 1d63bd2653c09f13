import { getLogger } from "@logtape/logtape";
import { asAppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import type { LocalState } from "@millrace/contract/vocabulary/gateway";
import { EVENT, type GatewayEvent } from "@millrace/contract/wire/event";
import type { FieldDesk } from "../field/desk.ts";
import type { Settings } from "../settings.ts";
import type { Fleet } from "../supervisor/fleet.ts";
import { AccessDesk, type Tell } from "./access/desk.ts";
import { firstPin, type RandomBytes } from "./access/pin.ts";
import { ARMING, COMMISSIONING, HeldSwitch } from "./held-switch.ts";
import { listenAddress, readTls } from "./listen.ts";
import { Lockout } from "./lockout.ts";
import { startLocalServer } from "./server.ts";
import type { LocalView } from "./view.ts";
import { WorkDesk } from "./work-desk.ts";

const log = getLogger(["gateway", "local"]);

export interface LocalInput {
  settings: Settings;
  clock: Clock;
  randomBytes: RandomBytes;
  fleet: Pick<Fleet, "devices" | "restart" | "connections">;
  field: Pick<FieldDesk, "take">;
  view: () => Promise<Omit<LocalView, "work">>;
  report: (event: GatewayEvent) => void;
  /** Something of `state` changed: the hub should hear of it before the next heartbeat. */
  onChange: () => void;
  /** A test waits less for a slow client. */
  idleS?: number;
}

/** The local page and what somebody can switch there. */
export interface Local {
  url: string;
  /** The first PIN when it was made at this start, to be shown once; else null. */
  firstPin: string | null;
  /** While on, somebody at the machine agrees to what comes from afar. */
  commissioning: Pick<HeldSwitch, "armedUntilMs">;
  /** While on, writes from afar that ask for somebody at the machine are allowed. */
  arming: Pick<HeldSwitch, "armedBy">;
  /** While on, nothing may be written to a machine from afar. */
  lockout: Pick<Lockout, "on">;
  /** For the health report. */
  state(): LocalState;
  stop(): Promise<void>;
}

/** @throws AppError `setting.wrong` when it cannot listen as it is told to */
export async function openLocal(input: LocalInput): Promise<Local> {
  const { settings, clock, randomBytes, fleet, field, onChange } = input;
  const folder = settings.dataFolder;
  const tell: Tell = (code, message, data, deviceId) =>
    input.report({
      timeMs: clock.nowMs(),
      code,
      severity: EVENT[code],
      message: message.slice(0, 500),
      ...(deviceId === undefined ? {} : { deviceId }),
      data,
    });
  const host = await listenAddress(settings.localHost, settings.localAllowPublic);
  const tls = await readTls(settings.localTlsCertFile, settings.localTlsKeyFile);
  const made = await makeFirstPin(folder, settings.localPin, randomBytes, clock);
  const commissioning = new HeldSwitch(COMMISSIONING, clock, tell, onChange);
  const arming = new HeldSwitch(ARMING, clock, tell, onChange);
  const lockout = await Lockout.open({ folder, clock, tell, onChange });
  const access = new AccessDesk({ folder, clock, randomBytes, tell, onChange });
  const work = new WorkDesk({ fleet, field, commissioning, arming, lockout, tell });
  const server = startLocalServer({
    host,
    port: settings.localPort,
    names: [settings.localHost, host, ...settings.localNames.split(/[\s,]+/).filter((name) => name !== "")],
    tls,
    token: settings.localToken,
    ...(input.idleS === undefined ? {} : { idleS: input.idleS }),
    access,
    work,
    view: async () => ({ ...(await input.view()), work: work.view() }),
  });
  return {
    url: server.url,
    firstPin: made,
    commissioning,
    arming,
    lockout,
    state: () => ({
      ...work.state(),
      writesNeedArming: settings.armWrites,
      signInLockedUntilMs: access.lockedUntilMs(),
    }),
    stop: async () => {
      commissioning.end("the gateway stops");
      arming.end("the gateway stops");
      await server.stop();
    },
  };
}

/** A damaged PIN or a full disk keeps people out of the page, never the gateway from its work. */
async function makeFirstPin(
  folder: string,
  given: string | undefined,
  randomBytes: RandomBytes,
  clock: Clock,
): Promise<string | null> {
  try {
    return await firstPin(folder, given, randomBytes, clock.nowMs());
  } catch (thrown) {
    const { message } = asAppError(thrown);
    log.error("no PIN for the local page: {message}", { message });
    return null;
  }
}
