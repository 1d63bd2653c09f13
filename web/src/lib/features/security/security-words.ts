import type { HubCertificate } from "@millrace/contract/api/certificate";
import type { Gateway } from "@millrace/contract/api/gateway";

const DAY_MS = 86_400_000;

/** `open`: whoever is on the way reads along, passwords too. */
export type Safety = "safe" | "open" | "unknown";

export interface Way {
  safety: Safety;
  title: string;
  text: string;
}

/** How this hub is reached. */
export function wayOf({ kind, publicUrl, loopbackOnly }: HubCertificate): Way {
  switch (kind) {
    case "own":
      return {
        safety: "safe",
        title: "Encrypted, by an authority of the hub's own",
        text: "The hub signs its certificate itself and renews it when a third of its life is left. Each phone and computer learns its authority once, at the trust page.",
      };
    case "files":
      return {
        safety: "safe",
        title: "Encrypted, by a certificate you gave the hub",
        text: "The hub reads it from files and takes changed ones within half a minute, without a restart.",
      };
    case "acme":
      return {
        safety: "safe",
        title: "Encrypted, by a public authority (ACME)",
        text: "The hub asks the authority for a new certificate when a third of its life is left.",
      };
    case "off":
      if (publicUrl.startsWith("https:"))
        return {
          safety: "safe",
          title: "Encrypted by a proxy in front of the hub",
          text: "The hub itself speaks plain http to the proxy. The certificate is the proxy's, so it is not shown here.",
        };
      return loopbackOnly
        ? {
            safety: "safe",
            title: "Plain http, for this machine alone",
            text: "Nothing leaves the hub's machine. For other machines and phones set MILLRACE_TLS; the manual's page on TLS says how.",
          }
        : {
            safety: "open",
            title: "Not encrypted",
            text: "Whoever is on the way reads passwords and values. Set MILLRACE_TLS to files, own or acme; the manual's page on TLS says how.",
          };
  }
}

/** Whole days from now to the end of a certificate; negative once it ended. */
export const daysLeft = (notAfter: string, nowMs: number): number =>
  Math.floor((Date.parse(notAfter) - nowMs) / DAY_MS);

const countDays = (days: number): string => `${days.toLocaleString("en")} ${days === 1 ? "day" : "days"}`;

/** "64 days left", "ends today", "ended 3 days ago". */
export function leftWords(notAfter: string, nowMs: number): string {
  const days = daysLeft(notAfter, nowMs);
  if (days > 0) return `${countDays(days)} left`;
  if (days === 0) return "ends today";
  return `ended ${countDays(-days)} ago`;
}

const dayFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });

/** "24 February 2027", in the browser's zone. */
export const dayWords = (instant: string): string => dayFormat.format(Date.parse(instant));

/** "CN=Millrace hub, O=Plant" → "Millrace hub, Plant". */
export const nameWords = (name: string): string =>
  name === "" ? "nobody by name; see the names it is for" : name.replace(/(^|, )[A-Z]+=/g, "$1");

const LINK: Record<NonNullable<NonNullable<Gateway["status"]>["hubTrust"]>, Omit<Way, "title">> = {
  pinned: { safety: "safe", text: "Encrypted; trusts this hub's authority and no other" },
  public: { safety: "safe", text: "Encrypted; trusts the public authorities" },
  loopback: { safety: "safe", text: "Plain, and on the hub's own machine" },
  plain: {
    safety: "open",
    text: "Not encrypted: whoever is on the way reads along. Give it an https address.",
  },
};

/** By what a gateway trusts this hub, as it told last. */
export function gatewayWay({ enrolment, status }: Pick<Gateway, "enrolment" | "status">): Omit<Way, "title"> {
  if (enrolment === "revoked") return { safety: "unknown", text: "Shut out" };
  if (status === null)
    return {
      safety: "unknown",
      text: enrolment === "unclaimed" ? "No machine yet" : "Has not told anything yet",
    };
  return status.hubTrust === undefined
    ? { safety: "unknown", text: "Does not tell; it is of an older version" }
    : LINK[status.hubTrust];
}

/** One line for all of them: "3 gateways: 2 encrypted, 1 not encrypted". */
export function gatewaysWords(gateways: readonly Pick<Gateway, "enrolment" | "status">[]): string {
  const kinds = gateways.map((gateway) =>
    gateway.enrolment === "enrolled" ? gateway.status?.hubTrust : undefined,
  );
  const count = (wanted: readonly (string | undefined)[]) =>
    kinds.filter((kind) => wanted.includes(kind)).length;
  const parts = [
    [count(["pinned"]), "trust this hub's authority alone"],
    [count(["public"]), "trust the public authorities"],
    [count(["loopback"]), "on the hub's own machine"],
    [count(["plain"]), "not encrypted"],
    [count([undefined]), "unknown"],
  ] as const;
  const total = `${gateways.length.toLocaleString("en")} ${gateways.length === 1 ? "gateway" : "gateways"}`;
  const said = parts
    .filter(([many]) => many > 0)
    .map(([many, what]) => `${many.toLocaleString("en")} ${what}`);
  return said.length === 0 ? "There is no gateway yet." : `${total}: ${said.join(", ")}.`;
}
