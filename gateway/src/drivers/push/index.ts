import type { PushAddress } from "@millrace/contract/driver/push/address";
import { pushDeclaration } from "@millrace/contract/driver/push/declaration";
import type { PushSettings } from "@millrace/contract/driver/push/settings";
import type { Driver } from "../../driver/driver.ts";
import { PushSession } from "./session.ts";

export const push: Driver<typeof PushSettings, PushAddress> = {
  ...pushDeclaration,
  byMessages: true,
  create: async (settings, deps) => new PushSession(settings, deps),
};
