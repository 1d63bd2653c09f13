import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import { settingWrong } from "@millrace/contract/std/setting";
import { listenAddress, readTls, type Tls } from "../local/listen.ts";
import type { Receipt } from "../outbox/receipt.ts";
import type { LocalBroker } from "./broker.ts";
import { IntakeDesk } from "./desk.ts";
import { HttpIntake } from "./http.ts";

export interface IntakeSettings {
  intakeMqttHost: string;
  intakeMqttPort: number;
  intakeHttpHost: string;
  intakeHttpPort: number;
  intakeTlsCertFile: string;
  intakeTlsKeyFile: string;
  intakeAllowPlain: boolean;
  intakeAllowPublic: boolean;
}

export interface IntakeDeps {
  clock: Clock;
  receipt: (id: string) => Promise<string | null>;
  keep: (receipt: Receipt | null) => Promise<boolean>;
}

/** The doors for devices that send by themselves. */
export interface Intake {
  desk: IntakeDesk;
  /** Null where it is not switched on. */
  broker: LocalBroker | null;
  httpPort: number | null;
  stop(): Promise<void>;
}

export const intakeIsOn = ({ intakeMqttHost, intakeHttpHost }: IntakeSettings): boolean =>
  intakeMqttHost !== "" || intakeHttpHost !== "";

/**
 * Opens what the settings name; without any, nothing listens.
 * @throws AppError `setting.wrong` naming the setting
 */
export async function openIntake(settings: IntakeSettings, deps: IntakeDeps): Promise<Intake | null> {
  if (!intakeIsOn(settings)) return null;
  const { intakeMqttHost, intakeHttpHost, intakeAllowPublic } = settings;
  const tls = await readIntakeTls(settings);
  const desk = new IntakeDesk(deps.clock);
  const address = (host: string, hostSetting: string) =>
    listenAddress(host, intakeAllowPublic, {
      host: hostSetting,
      allowPublic: "MILLRACE_INTAKE_ALLOW_PUBLIC",
    });
  const shared = { tls, clock: deps.clock, desk };
  let broker: LocalBroker | null = null;
  if (intakeMqttHost !== "") {
    const host = await address(intakeMqttHost, "MILLRACE_INTAKE_MQTT_HOST");
    const input = { ...shared, host, port: settings.intakeMqttPort, settled: () => deps.keep(null) };
    // The broker's library is loaded by whoever switches it on.
    const { startBroker } = await import("./broker.ts");
    broker = await startBroker(input).catch((cause) => cannotListen("MILLRACE_INTAKE_MQTT_PORT", cause));
  }
  let http: HttpIntake | null = null;
  try {
    if (intakeHttpHost !== "") {
      const host = await address(intakeHttpHost, "MILLRACE_INTAKE_HTTP_HOST");
      http = new HttpIntake({ ...shared, ...deps, host, port: settings.intakeHttpPort });
    }
  } catch (cause) {
    await broker?.stop();
    if (cause instanceof AppError) throw cause;
    cannotListen("MILLRACE_INTAKE_HTTP_PORT", cause);
  }
  return {
    desk,
    broker,
    httpPort: http?.port ?? null,
    stop: async () => {
      desk.close();
      await Promise.all([broker?.stop(), http?.stop()]);
    },
  };
}

/** Tokens go over this line: without TLS only where somebody says so. */
async function readIntakeTls(settings: IntakeSettings): Promise<Tls | null> {
  const { intakeTlsCertFile, intakeTlsKeyFile, intakeAllowPlain } = settings;
  const tls = await readTls(intakeTlsCertFile, intakeTlsKeyFile, {
    cert: "MILLRACE_INTAKE_TLS_CERT_FILE",
    key: "MILLRACE_INTAKE_TLS_KEY_FILE",
  });
  if (tls !== null || intakeAllowPlain) return tls;
  throw settingWrong(
    "MILLRACE_INTAKE_TLS_CERT_FILE",
    "devices would send their tokens in the clear. Give a certificate and its key, or MILLRACE_INTAKE_ALLOW_PLAIN=1.",
  );
}

function cannotListen(setting: string, cause: unknown): never {
  const why = cause instanceof Error ? cause.message : String(cause);
  throw new AppError("setting.wrong", `${setting}: cannot listen: ${why}`, { cause, context: { setting } });
}
