import type { ConfigDocument } from "@millrace/contract/api/config";
import type { Device, Profile, Site } from "@millrace/contract/api/plant";
import { deviceProblems } from "@millrace/contract/driver/check";
import { type AnyDeclaration, DECLARATIONS, declarationOf } from "@millrace/contract/driver/registry";
import { parseHours } from "@millrace/contract/hours/text";
import { NAME_PATTERN } from "@millrace/contract/vocabulary/id";
import type { ParameterValues } from "@millrace/contract/vocabulary/parameter";
import type { ProfileTag } from "@millrace/contract/vocabulary/tag";
import { valuesOf } from "../profile/parameter-rows.ts";
import { problemsOf, rowProblems, tidyTag } from "../profile/tag-rows.ts";
import { type KeptSecrets, settingsOf } from "../settings/setting-form.ts";

const NAME = new RegExp(NAME_PATTERN);
const NAME_CHARACTERS_MAX = 100;

/** A device as it is being described, before anything of it exists. */
export interface DeviceDraft {
  name: string;
  siteId: string;
  gatewayId: string;
  /** Empty: a new kind of machine is described with it. */
  profileId: string;
  profileName: string;
  driver: string;
  tags: readonly ProfileTag[];
  /** As typed. */
  settings: Record<string, string>;
  /** Secrets of the device it is a copy of. */
  kept: KeptSecrets;
  /** As typed. */
  parameters: Record<string, string>;
  /** In one line; empty for always. */
  hours: string;
}

export const emptyDraft = (): DeviceDraft => ({
  name: "",
  siteId: "",
  gatewayId: "",
  profileId: "",
  profileName: "",
  driver: DECLARATIONS[0]!.kind,
  tags: [{ name: "", address: "", dataType: "float32" }],
  settings: {},
  kept: {},
  parameters: {},
  hours: "",
});

export const nameProblem = (name: string): string =>
  name.trim() === ""
    ? "A name is needed."
    : NAME.test(name.trim()) && name.trim().length <= NAME_CHARACTERS_MAX
      ? ""
      : "1 to 100 characters without + # $ / please.";

/** What is known of the plant when a draft is judged. */
export interface Known {
  sites: readonly Site[];
  devices: readonly Device[];
  gateways: readonly { id: string; name: string }[];
  profiles: readonly Profile[];
}

/** The driver of a draft; null when this version of the screens does not know it. */
export function declarationOfDraft(
  draft: Pick<DeviceDraft, "profileId" | "driver">,
  known: Known,
): AnyDeclaration | null {
  const kind = known.profiles.find(({ id }) => id === draft.profileId)?.driver ?? draft.driver;
  return DECLARATIONS.some((one) => one.kind === kind) ? declarationOf(kind) : null;
}

export interface DraftProblems {
  name: string;
  profileName: string;
  settings: Map<string, string>;
  parameters: Map<string, string>;
  hours: string;
  tags: boolean;
}

/** Values of a draft for the parameters of its kind; those typed for another kind stay behind. */
export function valuesOfDraft(draft: DeviceDraft, profile: Profile | undefined): ParameterValues {
  const declared = profile?.parameters ?? {};
  const own = Object.entries(draft.parameters).filter(([name]) => Object.hasOwn(declared, name));
  return valuesOf(Object.fromEntries(own), declared);
}

/** What is wrong with a line of hours; empty for nothing. */
export function hoursProblem(text: string): string {
  const parsed = parseHours(text);
  return parsed.ok ? "" : `${parsed.message.charAt(0).toUpperCase()}${parsed.message.slice(1)}`;
}

/** What is still missing or wrong, by field. */
export function draftProblems(draft: DeviceDraft, known: Known): DraftProblems {
  const site = known.sites.find(({ id }) => id === draft.siteId);
  const path = `${site?.path}/${draft.name.trim()}`;
  const taken = known.devices.some((device) => device.path === path)
    ? "There is a device of this name here."
    : "";
  const profile = known.profiles.find(({ id }) => id === draft.profileId);
  const declaration = declarationOfDraft(draft, known);
  const base = profile ?? { driver: draft.driver, settings: {} };
  const found =
    declaration === null
      ? []
      : deviceProblems(
          base,
          settingsOf(declaration.settings, draft.settings, draft.kept),
          valuesOfDraft(draft, profile),
        );
  const judged = {
    name: nameProblem(draft.name) || taken,
    settings: problemsOf(found, "settings"),
    parameters: problemsOf(found, "parameters"),
    hours: hoursProblem(draft.hours),
  };
  if (profile !== undefined) return { ...judged, profileName: "", tags: false };
  const named = known.profiles.some(({ name }) => name === draft.profileName.trim());
  return {
    ...judged,
    profileName:
      nameProblem(draft.profileName) ||
      (named ? "There is a kind of machine of this name; choose it above." : ""),
    tags: draft.tags.length === 0 || rowProblems(draft.driver, {}, draft.tags).size > 0,
  };
}

export const isWhole = (problems: DraftProblems): boolean =>
  problems.name === "" &&
  problems.profileName === "" &&
  problems.settings.size === 0 &&
  problems.parameters.size === 0 &&
  problems.hours === "" &&
  !problems.tags;

/** The draft as a part of the configuration's document: device and, when it is a new kind, profile in one publish. */
export function documentOfDraft(draft: DeviceDraft, known: Known): ConfigDocument {
  const site = known.sites.find(({ id }) => id === draft.siteId);
  const gateway = known.gateways.find(({ id }) => id === draft.gatewayId);
  const profile = known.profiles.find(({ id }) => id === draft.profileId);
  const declaration = declarationOfDraft(draft, known);
  const name = profile?.name ?? draft.profileName.trim();
  const settings = declaration === null ? {} : settingsOf(declaration.settings, draft.settings, draft.kept);
  const parameters = valuesOfDraft(draft, profile);
  const parsed = parseHours(draft.hours);
  const own = {
    ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
    ...(parsed.ok && parsed.hours !== null ? { hours: parsed.hours } : {}),
  };
  return {
    millrace: 1,
    ...(profile === undefined
      ? { profiles: { [name]: { driver: draft.driver, tags: draft.tags.map(tidyTag) } } }
      : {}),
    devices: {
      [`${site?.path}/${draft.name.trim()}`]: {
        profile: name,
        gateway: gateway?.name ?? "",
        settings,
        ...own,
      },
    },
  };
}
