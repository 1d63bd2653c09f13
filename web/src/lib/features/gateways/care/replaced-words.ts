/** That another machine has become this gateway since the command was made; null while none has. */
export function replacedWords(before: string | null, now: string | null): string | null {
  if (now === null || now === before) return null;
  const was = before === null ? "" : ` It was ${before} before.`;
  return `The new machine is in. Its fingerprint is ${now}.${was} Compare it with what the new machine shows.`;
}
