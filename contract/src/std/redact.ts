/**
 * Keeps secrets out of what leaves a program: its log, its support bundle. Three nets, because each has holes: values
 * known to be secret, names that announce a secret, and forms that only secrets have.
 */

/** What stands in place of a secret. */
export const REDACTED = "[redacted]";

/** A shorter one would be found inside ordinary words, and a text full of marks says nothing. */
const SECRET_CHARS_MIN = 4;

const SECRET_NAME =
  /pass(word|phrase|wd|code)$|^(pass|pw|pin|psk)$|secret|token|credential|authorization|cookie|private_?key|api_?key|community|salt$/i;

type Form = readonly [RegExp, string];

/** Forms that can be taken out of any text without harming what stands around them, JSON included. */
const FORMS_ANYWHERE: readonly Form[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, REDACTED],
  // Name and password inside an address.
  [/([a-z][a-z0-9+.-]*:\/\/)[^\s/@:]+:[^\s/@]+@/gi, `$1${REDACTED}@`],
];
const FORMS: readonly Form[] = [
  ...FORMS_ANYWHERE,
  [/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${REDACTED}`],
  [
    /\b([\w-]*(?:password|passwd|passphrase|secret|token|api[_-]?key))(["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,;&}\]]+)/gi,
    `$1$2${REDACTED}`,
  ],
];

/** True for a name whose value is taken for a secret. */
export const isSecretName = (name: string): boolean => SECRET_NAME.test(name);

/** @param secrets values to leave out wherever they stand, whatever they are called there */
export function redactText(text: string, secrets: Iterable<string> = []): string {
  return cleaned(text, secrets, FORMS);
}

/** The same for a finished line of a log, which may be JSON: known values, and forms that never reach past themselves. */
export const redactLine = (line: string, secrets: Iterable<string> = []): string =>
  cleaned(line, secrets, FORMS_ANYWHERE);

function cleaned(text: string, secrets: Iterable<string>, forms: readonly Form[]): string {
  let clean = text;
  for (const secret of secrets)
    if (secret.length >= SECRET_CHARS_MIN) clean = clean.replaceAll(secret, REDACTED);
  for (const [form, instead] of forms) clean = clean.replace(form, instead);
  return clean;
}

/**
 * A copy of JSON-like data with secrets replaced, at any depth.
 * @param secretNames names that hold a secret here although they do not sound like it
 */
export function redactData(
  value: unknown,
  secrets: Iterable<string> = [],
  secretNames: ReadonlySet<string> = new Set(),
): unknown {
  const known = [...secrets];
  const walk = (one: unknown): unknown => {
    if (typeof one === "string") return redactText(one, known);
    if (Array.isArray(one)) return one.map(walk);
    if (typeof one !== "object" || one === null) return one;
    return Object.fromEntries(
      Object.entries(one).map(([name, inner]) => [name, hides(name, inner) ? REDACTED : walk(inner)]),
    );
  };
  const hides = (name: string, inner: unknown): boolean =>
    inner !== null && inner !== "" && (secretNames.has(name) || isSecretName(name));
  return walk(value);
}
