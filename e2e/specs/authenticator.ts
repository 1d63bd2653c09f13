import type { Person } from "./browser.ts";

/** Gives a person's browser an authenticator that unlocks by itself, as a finger on a sensor would. */
export async function giveAuthenticator(person: Person): Promise<{
  passkeys(): Promise<number>;
  /** Whether the finger is on the sensor. */
  touch(enabled: boolean): Promise<unknown>;
}> {
  const cdp = await person.context.newCDPSession(person.page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    touch: (enabled) => cdp.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled }),
    passkeys: async () => (await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials.length,
  };
}
