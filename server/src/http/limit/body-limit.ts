import { LIMITS } from "@millrace/contract/wire/limits";

/** Strangers have little to say: a password, a passkey's answer, the token of a link. */
const STRANGERS = [
  "/api/v1/sign-in/",
  "/api/v1/setup",
  "/api/v1/invitations/look",
  "/api/v1/invitations/accept",
];
const strangerBytesMax = 16 * 1024;

/** Largest JSON body a path takes, in bytes. */
export const bodyBytesMaxOf = (path: string): number =>
  STRANGERS.some((open) => path.startsWith(open)) ? strangerBytesMax : LIMITS.apiBodyBytesMax;
