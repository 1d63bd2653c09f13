import type { ProfileTag } from "@millrace/contract/vocabulary/tag";

/** Tags on their way from a device's page to the page of its kind, by profile. */
const onTheWay = new Map<string, readonly ProfileTag[]>();

export const sendTags = (profileId: string, tags: readonly ProfileTag[]): void => {
  onTheWay.set(profileId, tags);
};

/** Handed over once. */
export function takeTags(profileId: string): readonly ProfileTag[] {
  const tags = onTheWay.get(profileId) ?? [];
  onTheWay.delete(profileId);
  return tags;
}
