/** Versions of what two separately deployed programs exchange. A reader refuses a newer one by name. */
export const VERSION = { uplink: 1, block: 1, frame: 1, manifest: 1 } as const;
