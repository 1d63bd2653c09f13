import { anySecretNames } from "@millrace/contract/driver/secret-settings";
import { AppError } from "@millrace/contract/error/app-error";
import { canonicalJson } from "@millrace/contract/std/canonical-json";
import { isSecretName } from "@millrace/contract/std/redact";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import type { Reading } from "../driver/driver.ts";
import type { WriteTarget } from "./write.ts";

/**
 * The one place in the plant a momentary value was put to, as a digest: connection, settings without their secrets,
 * address. What differs in any of them may be another machine's switch.
 */
export function placeOf({
  tag,
  member,
  connection,
}: Pick<WriteTarget, "tag" | "member" | "connection">): string {
  const secret = anySecretNames();
  const settings: unknown = JSON.parse(
    JSON.stringify(member.settings, (name, value: unknown) =>
      secret.has(name) || isSecretName(name) ? undefined : value,
    ) ?? "null",
  );
  const text = canonicalJson([connection.key, settings, tag.address, tag.dataType]);
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}

/**
 * Takes a momentary value back in one turn at its device, before whatever waits there, and reads it back.
 * @param late looks first, and leaves alone what is at rest already
 * @returns what was read at the end; null when it could not be
 * @throws AppError why the device did not take it
 */
export async function takeBack(target: WriteTarget, rest: boolean, late: boolean): Promise<Reading | null> {
  const { connection, member, point, signal } = target;
  const reading = await connection.urgently(member, signal, async (session, within) => {
    const look = async () => (await session.read([point], within))[0] ?? null;
    if (session.write === undefined) throw new AppError("write.off", "This driver does not write.");
    if (late) {
      const present = await look();
      if (present?.quality === QUALITY.good && present.value === rest) return present;
    }
    const [outcome] = await session.write([{ ...point, value: rest }], within);
    if (outcome?.done !== true)
      throw new AppError(outcome?.code ?? "internal.bug", outcome?.message ?? "The driver told nothing.");
    return await look();
  });
  if (reading !== null) target.took(reading);
  return reading;
}
