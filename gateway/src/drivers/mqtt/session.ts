/** The talking is shared with whatever else speaks to a broker. */
export { type OpenInput, openWire, VersionRefused } from "../../driver/mqtt-wire/open.ts";
