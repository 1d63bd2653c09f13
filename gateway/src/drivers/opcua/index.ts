import type { OpcuaAddress } from "@millrace/contract/driver/opcua/address";
import { opcuaDeclaration } from "@millrace/contract/driver/opcua/declaration";
import type { OpcuaSettings } from "@millrace/contract/driver/opcua/settings";
import type { Driver } from "../../driver/driver.ts";

/** Session and library are loaded with the first device: a gateway without one does without their 65 MB. */
export const opcua: Driver<typeof OpcuaSettings, OpcuaAddress> = {
  ...opcuaDeclaration,
  create: async (settings, deps) => {
    const [{ OpcuaSession }, { library }] = await Promise.all([
      import("./opcua-session.ts"),
      import("./session.ts"),
    ]);
    return new OpcuaSession(settings, deps, library);
  },
};
