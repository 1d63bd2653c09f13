import type { S7Address } from "@millrace/contract/driver/s7/address";
import { s7Declaration } from "@millrace/contract/driver/s7/declaration";
import type { S7Settings } from "@millrace/contract/driver/s7/settings";
import type { Driver } from "../../driver/driver.ts";

export const s7: Driver<typeof S7Settings, S7Address> = {
  ...s7Declaration,
  create: async (settings, deps) => {
    const { S7Session } = await import("./session.ts");
    return new S7Session(settings, deps);
  },
};
