import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import { Elysia } from "elysia";
import { access, type Gatekeeper } from "./access.ts";

export const SECURITY_TEXT_PATH = "/.well-known/security.txt";
/** RFC 9116 advises less than a year. Each answer counts anew: it is as fresh as the setting it comes from. */
const VALID_MS = 180 * 24 * 3_600_000;

export interface SecurityTextDeps {
  contact: string | undefined;
  clock: Clock;
  publicUrl: () => string;
  gatekeeper: Gatekeeper;
}

/** Whom to tell of a weakness of this hub (RFC 9116). Without a contact there is nothing at this address. */
export const securityTextRoutes = ({ contact, clock, publicUrl, gatekeeper }: SecurityTextDeps) =>
  new Elysia({ detail: { tags: ["Operation"] } }).use(access(gatekeeper)).get(
    SECURITY_TEXT_PATH,
    () => {
      if (contact === undefined)
        throw new AppError("route.unknown", "No contact is set (MILLRACE_SECURITY_CONTACT).");
      const lines = [
        `Contact: ${contact}`,
        `Expires: ${new Date(clock.nowMs() + VALID_MS).toISOString()}`,
        `Canonical: ${new URL(SECURITY_TEXT_PATH, publicUrl()).href}`,
        "Preferred-Languages: en",
        "",
      ];
      return new Response(lines.join("\n"), { headers: { "content-type": "text/plain; charset=utf-8" } });
    },
    {
      open: "must be found by whoever found a weakness",
      detail: { summary: "Whom to tell of a weakness of this hub" },
    },
  );
