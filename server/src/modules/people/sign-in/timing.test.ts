import { expect, test } from "bun:test";
import { ADA, post, setUpAda, testHub } from "../../../../test/hub.ts";
import { addressBucket } from "../../../http/address.ts";

const PAIRS = 60;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

test("S14: a known and an unknown person take the hub the same work", async () => {
  await using hub = await testHub();
  await setUpAda(hub);
  const took: Record<string, number[]> = { known: [], unknown: [] };
  const tryOne = async (kind: string, email: string) => {
    // What slows guessing down is not what is compared.
    hub.people.accounts.succeeded(email);
    hub.people.addresses.succeeded(addressBucket("unknown"));
    const beganMs = performance.now();
    const { status } = await post(hub, "/api/v1/sign-in/password", { email, password: "not the password" });
    took[kind]!.push(performance.now() - beganMs);
    expect(status).toBe(401);
  };
  for (let i = 0; i < PAIRS; i++) {
    const pair: [string, string][] = [
      ["known", ADA.email],
      ["unknown", "nobody@plant.example"],
    ];
    for (const [kind, email] of i % 2 === 0 ? pair : pair.toReversed()) await tryOne(kind, email);
  }
  const ratio = median(took.known!) / median(took.unknown!);
  console.info(`known to unknown, medians of ${PAIRS}: ${ratio.toFixed(3)}`);
  // Without the hash for nobody the unknown one would take a tenth of the time.
  expect(ratio).toBeGreaterThan(0.7);
  expect(ratio).toBeLessThan(1.4);
}, 30_000);
