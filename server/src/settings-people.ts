import { isLoopback } from "@millrace/contract/std/loopback";
import { Setting, settingWrong } from "@millrace/contract/std/setting";
import { Type } from "@sinclair/typebox";
import type { SsoSettings } from "./modules/sso/provider.ts";
import { parseRoleRules } from "./modules/sso/role-map.ts";

/** Settings about how people sign in. */
export const PEOPLE_SETTINGS = {
  mfa: Setting(
    "MILLRACE_MFA",
    Type.Union([Type.Literal("off"), Type.Literal("administrators"), Type.Literal("all")], {
      default: "off",
      description: "Who must have a second factor or a passkey: off, administrators or all",
    }),
  ),
  resetAdmin: Setting(
    "MILLRACE_RESET_ADMIN",
    Type.Optional(
      Type.String({
        maxLength: 254,
        description:
          "E-mail address of somebody who is locked out: the hub prints a one-time link for them when it starts. Take it out afterwards",
      }),
    ),
  ),
  oidcIssuer: Setting(
    "MILLRACE_OIDC_ISSUER",
    Type.Optional(
      Type.String({
        pattern: "^https?://",
        description: "Issuer of an OpenID Connect provider people sign in at; https, or this machine",
        examples: ["https://login.example.com/realms/plant"],
      }),
    ),
  ),
  oidcClientId: Setting(
    "MILLRACE_OIDC_CLIENT_ID",
    Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: "What the provider calls this hub" }),
    ),
  ),
  oidcClientSecret: Setting(
    "MILLRACE_OIDC_CLIENT_SECRET",
    Type.Optional(
      Type.String({ minLength: 1, maxLength: 500, description: "Secret the provider gave this hub" }),
    ),
    true,
  ),
  oidcName: Setting(
    "MILLRACE_OIDC_NAME",
    Type.String({
      minLength: 1,
      maxLength: 60,
      default: "Single sign-on",
      description: "What the button on the sign-in page says",
    }),
  ),
  oidcGroupsClaim: Setting(
    "MILLRACE_OIDC_GROUPS_CLAIM",
    Type.String({
      minLength: 1,
      maxLength: 200,
      default: "groups",
      description: "Claim that lists somebody's groups at the provider",
    }),
  ),
  oidcRoles: Setting(
    "MILLRACE_OIDC_ROLES",
    Type.String({
      maxLength: 10_000,
      default: "",
      description: "Roles that follow from groups: group=role or group=role@place, separated by semicolons",
    }),
  ),
  oidcCreate: Setting(
    "MILLRACE_OIDC_CREATE",
    Type.Boolean({
      default: true,
      description: "0 lets only people in by single sign-on who were invited before",
    }),
  ),
};

interface OidcSettings {
  oidcIssuer?: string;
  oidcClientId?: string;
  oidcClientSecret?: string;
  oidcName: string;
  oidcGroupsClaim: string;
  oidcRoles: string;
  oidcCreate: boolean;
}

/**
 * The single sign-on of the settings; null for none.
 * @throws AppError `setting.wrong` for one that is said in part, or whose provider could be read on the way
 */
export function ssoSettings(settings: OidcSettings): SsoSettings | null {
  const { oidcIssuer: issuer, oidcClientId: clientId, oidcClientSecret: clientSecret } = settings;
  const rules = parseRoleRules(settings.oidcRoles);
  if (issuer === undefined) return null;
  if (clientId === undefined)
    throw settingWrong("MILLRACE_OIDC_CLIENT_ID", "it is needed beside the issuer.");
  if (clientSecret === undefined)
    throw settingWrong("MILLRACE_OIDC_CLIENT_SECRET", "it is needed beside the issuer.");
  const url = new URL(issuer);
  if (url.protocol === "http:" && !isLoopback(url.hostname))
    throw settingWrong(
      "MILLRACE_OIDC_ISSUER",
      "expected https: over plain http anybody could say who somebody is.",
    );
  const { oidcName: name, oidcGroupsClaim: groupsClaim, oidcCreate: create } = settings;
  return { issuer, clientId, clientSecret, name, groupsClaim, rules, create };
}
