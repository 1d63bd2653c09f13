import type { ConfigDocument, Draft } from "@millrace/contract/api/config";

type DraftedProfile = NonNullable<ConfigDocument["profiles"]>[string];

/** Drafts on their way from the list to the page of the kind they change, by profile. */
const onTheWay = new Map<string, Draft>();

export const sendDraft = (profileId: string, draft: Draft): void => {
  onTheWay.set(profileId, draft);
};

/** Handed over once. */
export function takeDraft(profileId: string): Draft | null {
  const draft = onTheWay.get(profileId) ?? null;
  onTheWay.delete(profileId);
  return draft;
}

/** The one kind of machine a draft is about, as it would be called; null for a draft that no single page can show. */
export function draftedProfile({ document }: Draft): { name: string; content: DraftedProfile } | null {
  const { millrace: _format, profiles = {}, ...rest } = document;
  const [first, ...more] = Object.entries(profiles);
  if (first === undefined || more.length > 0 || Object.keys(rest).length > 0) return null;
  return { name: first[0], content: first[1] };
}
