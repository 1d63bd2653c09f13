import { SetupRequest } from "@millrace/contract/api/person";

const { minLength: PASSWORD_MIN = 0, maxLength: PASSWORD_MAX = 0 } = SetupRequest.properties.password;
const EMAIL = new RegExp(SetupRequest.properties.email.pattern ?? "");

export const PASSWORD_RULE = `At least ${PASSWORD_MIN} characters. A sentence is easier to remember than signs.`;

/** What is wrong with a field, in words; empty when it is right. The limits are the contract's. */
export function passwordWrong(password: string): string {
  if (password.length < PASSWORD_MIN) return `${PASSWORD_MIN - password.length} more characters are needed.`;
  return password.length > PASSWORD_MAX ? `At most ${PASSWORD_MAX} characters.` : "";
}

export const emailWrong = (email: string): string =>
  EMAIL.test(email) ? "" : "Write an address with an @, for example name@company.example.";

/** The one-time token of the set-up link. It stands in the fragment, which browsers never send to a server. */
export function tokenOfHash(hash: string): string {
  return new URLSearchParams(hash.replace(/^#/, "")).get("token") ?? "";
}
