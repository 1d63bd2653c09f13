// Loaded into a gateway before its own code: tries the hub again within half a second. A gateway that waits up to eight
// seconds for each of a thousand restarts of its hub would make a run of hours; what is promised about each kill is the
// same.
import { LINK_SETTINGS } from "../../gateway/src/uplink/state.ts";

LINK_SETTINGS.backoff = { baseMs: 100, capMs: 500 };
