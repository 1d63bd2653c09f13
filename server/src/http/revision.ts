import { AppError } from "@millrace/contract/error/app-error";

/** Strong entity tag of a revision (RFC 9110, 8.8.3). */
export const entityTag = (revision: number): string => `"${revision}"`;

/**
 * The revision an edit is based on, from `If-Match`. An edit without one would overwrite what the editor never saw.
 * @throws AppError `request.invalid` when it is missing or not of our form
 */
export function revisionOf(ifMatch: string | undefined): number {
  const found = /^"?(\d{1,9})"?$/.exec(ifMatch ?? "")?.[1];
  if (found === undefined) {
    throw new AppError(
      "request.invalid",
      'headers/if-match: expected the revision you edited, e.g. "3" (the ETag of GET).',
    );
  }
  return Number(found);
}

/** @throws AppError `entity.conflict` when somebody else was quicker */
export function checkRevision(wanted: number, present: number): void {
  if (wanted === present) return;
  throw new AppError(
    "entity.conflict",
    `It was changed meanwhile: you edited revision ${wanted}, it is now ${present}.`,
    {
      context: { wanted, present },
    },
  );
}
