import { AppError } from "@millrace/contract/error/app-error";

/**
 * Refuses an address that names a NUL. No text of ours holds one, PostgreSQL takes none in a text, and what a file system
 * would read of a name ends there.
 * @param url as it came, still percent-encoded
 * @throws AppError `request.malformed`
 */
export function checkTarget(url: string): void {
  if (url.includes("%00")) throw new AppError("request.malformed", "The address holds a NUL.");
}
