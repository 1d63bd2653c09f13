import { isIP } from "node:net";
import { isLoopback } from "@millrace/contract/std/loopback";
import { Setting, settingWrong } from "@millrace/contract/std/setting";
import { type Static, Type } from "@sinclair/typebox";

/** What an operator may set about the hub's certificate. */
export const TLS_SETTINGS = {
  tls: Setting(
    "MILLRACE_TLS",
    Type.Union([Type.Literal("off"), Type.Literal("files"), Type.Literal("own"), Type.Literal("acme")], {
      default: "off",
      description:
        "Where the hub's certificate comes from: off (none, plain http), files, own (an authority of the hub's own) or acme",
    }),
  ),
  tlsCertFile: Setting(
    "MILLRACE_TLS_CERT_FILE",
    Type.Optional(
      Type.String({
        minLength: 1,
        description: "With files: the certificate and its chain, PEM; read anew when it changes",
      }),
    ),
  ),
  tlsKeyFile: Setting(
    "MILLRACE_TLS_KEY_FILE",
    Type.Optional(
      Type.String({ minLength: 1, description: "With files: the certificate's private key, PEM" }),
    ),
  ),
  tlsCaFile: Setting(
    "MILLRACE_TLS_CA_FILE",
    Type.Optional(
      Type.String({
        minLength: 1,
        description:
          "With files: the authority gateways shall trust, PEM; without it they trust the public ones",
      }),
    ),
  ),
  tlsNames: Setting(
    "MILLRACE_TLS_NAMES",
    Type.String({
      default: "",
      pattern: "^[A-Za-z0-9.:\\[\\]_, -]*$",
      description: "With own and acme: further host names and addresses of the hub, with commas between",
      examples: ["hub.plant.example,192.168.0.5"],
    }),
  ),
  plainPort: Setting(
    "MILLRACE_PLAIN_PORT",
    Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 65_535,
        description:
          "With TLS: a second, plain port that leads pages to https, refuses the API, and shows how to trust the hub's authority; default: none, 80 with acme",
      }),
    ),
  ),
  acmeDirectory: Setting(
    "MILLRACE_ACME_DIRECTORY",
    Type.String({
      pattern: "^https://[^\\s]+$",
      default: "https://acme-v02.api.letsencrypt.org/directory",
      description: "With acme: the directory of the certificate authority",
    }),
  ),
  acmeContact: Setting(
    "MILLRACE_ACME_CONTACT",
    Type.Optional(
      Type.String({
        pattern: "^[^@\\s]+@[^@\\s]+$",
        description: "With acme: e-mail address the authority may write to",
      }),
    ),
  ),
  acmeTerms: Setting(
    "MILLRACE_ACME_TERMS",
    Type.Boolean({
      default: false,
      description: "With acme: 1 agrees to the terms of the certificate authority",
    }),
  ),
  acmeCaFile: Setting(
    "MILLRACE_ACME_CA_FILE",
    Type.Optional(
      Type.String({
        minLength: 1,
        description: "With acme: PEM by which a private authority's directory is trusted",
      }),
    ),
  ),
};

const Tls = Type.Object(TLS_SETTINGS);
export type TlsSettings = Static<typeof Tls> & { host: string; port: number; publicUrl?: string | undefined };

/** Below it the framework would not find the path of a request (`app.ts`). */
const HOST_LETTERS_MIN = 3;

const bare = (host: string): string => host.replace(/^\[|\]$/g, "").toLowerCase();

/** Everything the hub is called by: the host of its public address, what was set besides, and loopback for `own`. */
export function certificateNames({ tls, tlsNames, publicUrl }: TlsSettings): string[] {
  const names = [
    ...(publicUrl === undefined ? [] : [new URL(publicUrl).hostname]),
    ...tlsNames.split(/[\s,]+/).filter((name) => name !== ""),
    ...(tls === "own" ? ["localhost", "127.0.0.1", "::1"] : []),
  ];
  return [...new Set(names.map(bare))];
}

/** The plain port beside TLS, or null. */
export const plainPortOf = ({ tls, plainPort }: TlsSettings): number | null =>
  tls === "off" ? null : (plainPort ?? (tls === "acme" ? 80 : null));

/** @throws AppError `setting.wrong` for settings that do not go together */
export function checkTlsSettings(settings: TlsSettings): void {
  const { tls, tlsCertFile, tlsKeyFile, tlsCaFile, publicUrl, host, port } = settings;
  if (tls === "files") {
    if (tlsCertFile === undefined)
      throw settingWrong("MILLRACE_TLS_CERT_FILE", "MILLRACE_TLS=files needs it.");
    if (tlsKeyFile === undefined) throw settingWrong("MILLRACE_TLS_KEY_FILE", "MILLRACE_TLS=files needs it.");
  } else if (tlsCertFile !== undefined || tlsKeyFile !== undefined || tlsCaFile !== undefined) {
    throw settingWrong(
      "MILLRACE_TLS",
      `is "${tls}", but files are named; they count with MILLRACE_TLS=files only.`,
    );
  }
  if (tls === "off") {
    if (settings.plainPort !== undefined)
      throw settingWrong("MILLRACE_PLAIN_PORT", "stands beside TLS only; MILLRACE_TLS is off.");
    return;
  }
  if (publicUrl?.startsWith("http:"))
    throw settingWrong("MILLRACE_PUBLIC_URL", `must begin with https:// while MILLRACE_TLS is "${tls}".`);
  if (publicUrl === undefined && !isLoopback(host))
    throw settingWrong("MILLRACE_PUBLIC_URL", "TLS for other machines needs the name they open the hub by.");
  if (publicUrl !== undefined && new URL(publicUrl).host.length < HOST_LETTERS_MIN)
    throw settingWrong("MILLRACE_PUBLIC_URL", `needs a host name of ${HOST_LETTERS_MIN} letters at least.`);
  const plain = plainPortOf(settings);
  if (plain !== null && plain !== 0 && plain === port)
    throw settingWrong("MILLRACE_PLAIN_PORT", "must be another one than MILLRACE_PORT.");
  if (tls === "acme") checkAcme(settings);
}

function checkAcme(settings: TlsSettings): void {
  if (!settings.acmeTerms)
    throw settingWrong(
      "MILLRACE_ACME_TERMS",
      "an ACME authority issues only to who agrees to its terms: set 1.",
    );
  const names = certificateNames(settings);
  if (names.length === 0)
    throw settingWrong("MILLRACE_PUBLIC_URL", "MILLRACE_TLS=acme needs the hub's public name.");
  for (const name of names) {
    if (isIP(name) !== 0 || isLoopback(name))
      throw settingWrong(
        "MILLRACE_TLS_NAMES",
        `ACME takes host names, and "${name}" is none others can ask for.`,
      );
  }
}
