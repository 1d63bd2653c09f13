/**
 * Every failure Millrace can name: HTTP status where it reaches HTTP, whether the same attempt may succeed later
 * (`backoff`), only after somebody changes something (`afterChange`), or `never`; and what to do about it, in words
 * for the person in front of the screen. A test holds that the web has a text for each code.
 */
interface ErrorRow {
  status: number;
  retry: "never" | "backoff" | "afterChange";
  severity: "info" | "warning" | "error";
  nextStep: string;
}

const row = (
  status: number,
  retry: ErrorRow["retry"],
  severity: ErrorRow["severity"],
  nextStep: string,
): ErrorRow => ({ status, retry, severity, nextStep });

export const ERROR = {
  // Requests
  "request.invalid": row(
    422,
    "afterChange",
    "warning",
    "Correct the named field and send the request again.",
  ),
  "request.malformed": row(400, "afterChange", "warning", "Send well-formed JSON of the documented shape."),
  "request.tooLarge": row(
    413,
    "afterChange",
    "warning",
    "Send less in one request; the limit is in the message.",
  ),
  "request.tooMany": row(429, "backoff", "warning", "Wait a moment, then try again."),
  "route.unknown": row(404, "never", "info", "Check the address; /docs lists every route."),
  "entity.missing": row(404, "never", "info", "It may have been deleted; reload the list."),
  "entity.conflict": row(
    409,
    "afterChange",
    "warning",
    "Reload, look at the other change, then repeat yours.",
  ),
  "entity.inUse": row(409, "afterChange", "warning", "Remove what still uses it first."),
  "retention.confirm": row(
    409,
    "afterChange",
    "warning",
    "Look at what would be lost; if that is meant, send it again with confirm=true.",
  ),
  // People
  "auth.required": row(401, "afterChange", "info", "Sign in."),
  "auth.refused": row(401, "afterChange", "warning", "Check the e-mail address and the password."),
  "auth.forbidden": row(403, "afterChange", "warning", "Ask an administrator for the permission."),
  "auth.originRefused": row(403, "afterChange", "warning", "Open Millrace at its own address."),
  "auth.fresh": row(
    403,
    "afterChange",
    "info",
    "Say again who you are, by password or passkey; then repeat it.",
  ),
  "auth.mustEnrol": row(
    403,
    "afterChange",
    "info",
    "Add a passkey or an authenticator app to your account; everything else opens then.",
  ),
  "auth.passkeyNeeded": row(403, "afterChange", "info", "Sign in with your passkey."),
  "auth.codeWrong": row(
    401,
    "afterChange",
    "warning",
    "Type the code the app shows now, or one of your recovery codes.",
  ),
  "auth.pinLocked": row(
    403,
    "afterChange",
    "warning",
    "Sign in with your password or passkey on this tablet; your PIN works again then.",
  ),
  "auth.deviceNotShared": row(
    403,
    "afterChange",
    "warning",
    "Have somebody enrol this browser as a shared tablet, or sign in with your password.",
  ),
  "auth.lastAdministrator": row(
    409,
    "afterChange",
    "warning",
    "Make somebody else administrator of the whole plant first.",
  ),
  "auth.lastFactor": row(409, "afterChange", "warning", "Add another way to sign in first."),
  "password.weak": row(
    422,
    "afterChange",
    "warning",
    "Choose another, for example four words that have nothing to do with each other.",
  ),
  "passkey.refused": row(
    401,
    "afterChange",
    "warning",
    "Try again and unlock the passkey by fingerprint, face or PIN.",
  ),
  "invitation.refused": row(403, "afterChange", "warning", "Ask an administrator for a new link."),
  "sso.unavailable": row(
    503,
    "backoff",
    "error",
    "Sign in another way, or check the single sign-on's address in the hub's settings.",
  ),
  "setup.done": row(409, "never", "info", "Set-up is finished; sign in instead."),
  "setup.tokenWrong": row(
    403,
    "afterChange",
    "warning",
    "Use the set-up link the hub printed when it started.",
  ),
  // Enrolment and uplink
  "claim.refused": row(
    403,
    "afterChange",
    "warning",
    "Make a new claim token at the hub; each works once and expires.",
  ),
  "uplink.refused": row(
    403,
    "afterChange",
    "error",
    "Enrol the gateway again, or undo its revocation at the hub.",
  ),
  "uplink.fenced": row(
    409,
    "afterChange",
    "error",
    "Another gateway took this identity; enrol this one again.",
  ),
  "uplink.sequenceConflict": row(
    409,
    "afterChange",
    "error",
    "This gateway was restored or cloned; enrol it again.",
  ),
  "uplink.cloned": row(
    409,
    "afterChange",
    "error",
    "Two machines use this identity: switch one off, then trust the other at the hub, or enrol it again.",
  ),
  "command.away": row(
    409,
    "backoff",
    "warning",
    "Wait until the gateway is connected, then ask again; commands are never kept for later.",
  ),
  "command.refused": row(
    409,
    "afterChange",
    "warning",
    "Update the gateway's software, or look at its log: its record of commands may be damaged.",
  ),
  "write.off": row(403, "afterChange", "warning", "The kind of the device must allow it for this tag."),
  "write.limits": row(403, "afterChange", "warning", "Choose a value within the limits of this tag."),
  "write.selection": row(
    409,
    "afterChange",
    "info",
    "Choose the value again; it counts once and not for long.",
  ),
  "write.proof": row(403, "afterChange", "warning", "Show once more who you are."),
  "write.second": row(409, "afterChange", "info", "Ask a second person who may write here to agree."),
  "write.unseen": row(409, "backoff", "warning", "Wait until the tag shows a good value, then begin again."),
  "write.changed": row(409, "afterChange", "warning", "Look at the present value, then begin again."),
  "write.held": row(409, "backoff", "warning", "Wait until what was pressed before is taken back."),
  "write.lockedOut": row(
    409,
    "afterChange",
    "warning",
    "Somebody at the machine has locked out writes from afar; only they may release them.",
  ),
  "write.notArmed": row(
    409,
    "afterChange",
    "warning",
    "Ask somebody at the machine to arm writing at the gateway's own page, then begin again.",
  ),
  "write.notTaken": row(502, "afterChange", "warning", "Look at the machine: an interlock may keep it."),
  "field.away": row(
    409,
    "backoff",
    "warning",
    "Wait until the gateway is connected, then ask again; a test is never kept for later.",
  ),
  "field.unsupported": row(
    409,
    "afterChange",
    "warning",
    "Update the older of gateway and hub, or use a tool this driver has; the message says which.",
  ),
  "field.timeout": row(
    422,
    "afterChange",
    "warning",
    "Ask for fewer tags or a smaller span, or set shorter timeouts for this device; then try again.",
  ),
  "uplink.protocol": row(
    400,
    "afterChange",
    "error",
    "Update the older of gateway and hub; the message names what did not fit.",
  ),
  "uplink.unreachable": row(
    503,
    "backoff",
    "warning",
    "Check the network between gateway and hub; data is kept meanwhile.",
  ),
  "uplink.untrusted": row(
    502,
    "backoff",
    "error",
    "Check the hub's address and this machine's clock. If the hub's authority was replaced, claim this gateway again with the command the hub shows.",
  ),
  "uplink.busy": row(503, "backoff", "info", "Nothing to do: the hub asked for a pause and data is kept."),
  "uplink.silent": row(
    504,
    "backoff",
    "warning",
    "Check the network between gateway and hub; data is kept meanwhile.",
  ),
  "frame.garbled": row(
    400,
    "backoff",
    "error",
    "Nothing to do at first: the frame is sent again. If it repeats, look at the disk and the network.",
  ),
  "frame.gap": row(
    409,
    "backoff",
    "warning",
    "Nothing to do: the gateway sends again from the expected number.",
  ),
  "frame.tooLarge": row(413, "never", "error", "Report this: a gateway sealed a frame over the limit."),
  // Block codec
  "block.garbled": row(422, "never", "error", "The stored bytes are damaged; they are kept in quarantine."),
  "block.version": row(422, "afterChange", "error", "Update the hub: the block was made by a newer gateway."),
  "block.limit": row(413, "never", "error", "The block asks for more than the limit in the message."),
  "block.invalid": row(
    422,
    "never",
    "error",
    "Report this: a sample that cannot be stored reached the block writer.",
  ),
  // Manifest
  "manifest.refused": row(
    422,
    "afterChange",
    "error",
    "The gateway runs its last good manifest; correct what the message names.",
  ),
  "manifest.signature": row(
    403,
    "afterChange",
    "error",
    "Only the hub that enrolled this gateway may configure it.",
  ),
  "manifest.stale": row(409, "never", "warning", "The gateway already runs a newer manifest."),
  // Links to devices
  "link.refused": row(
    502,
    "backoff",
    "error",
    "Check that the device is on and that its host and port, or its serial port, are right.",
  ),
  "link.unreachable": row(502, "backoff", "error", "Check power, cable and network of the device."),
  "link.lost": row(
    502,
    "backoff",
    "error",
    "Check power and network of the device; Millrace reconnects by itself.",
  ),
  "link.untrusted": row(
    502,
    "backoff",
    "error",
    "Compare the fingerprint with the one the server shows, then trust it at the device's settings. Nothing is read before.",
  ),
  "link.denied": row(
    502,
    "backoff",
    "error",
    "At the server, trust this gateway's certificate, or correct user and password at the device's settings.",
  ),
  "link.garbled": row(
    502,
    "backoff",
    "error",
    "Something else answers at this port, or the line is disturbed; check the address.",
  ),
  "device.timeout": row(
    504,
    "backoff",
    "error",
    "Check the unit number and the device; raise the timeout if it is slow.",
  ),
  "device.busy": row(
    503,
    "backoff",
    "warning",
    "Nothing to do: the device asked for patience. If it stays, poll it more slowly.",
  ),
  "device.unreachable": row(
    502,
    "backoff",
    "error",
    "The converter answers, the device behind it does not; check its cable and unit number.",
  ),
  "device.failed": row(
    502,
    "backoff",
    "error",
    "The device reports a failure of its own; look at its display.",
  ),
  "device.refused": row(
    502,
    "backoff",
    "error",
    "The device is there and does not let us; the message names the switch or the right.",
  ),
  "address.illegal": row(
    422,
    "afterChange",
    "warning",
    "Check the address, at Modbus also its table, against the device's manual.",
  ),
  "request.plain": row(403, "afterChange", "warning", "Use the hub's https address."),
  "certificate.wrong": row(
    422,
    "afterChange",
    "error",
    "Give the hub a certificate that is valid, for its names, and with its own key.",
  ),
  "certificate.failed": row(
    502,
    "backoff",
    "error",
    "See what the certificate authority says; the hub tries again by itself.",
  ),
  "setting.wrong": row(422, "afterChange", "error", "Correct the named setting."),
  // Storage
  "outbox.overflow": row(
    507,
    "afterChange",
    "error",
    "Give the gateway more disk or bring the hub back; the lost range is recorded.",
  ),
  "outbox.failed": row(500, "backoff", "error", "Check the gateway's disk."),
  "outbox.corrupt": row(
    500,
    "never",
    "error",
    "The damaged buffer was set aside and a new one opened; the gap is recorded.",
  ),
  "database.unavailable": row(
    503,
    "backoff",
    "error",
    "Check PostgreSQL; gateways keep their data meanwhile.",
  ),
  "audit.unwritable": row(
    503,
    "backoff",
    "error",
    "Look at the database's disk and the hub's log; values and gateways go on meanwhile.",
  ),
  "database.failed": row(500, "never", "error", "Look at the hub's log for the error id."),
  // History
  "query.tooLarge": row(
    422,
    "afterChange",
    "warning",
    "Ask for a shorter range, fewer tags or a longer interval; the limit is in the message.",
  ),
  "query.busy": row(429, "backoff", "info", "Wait a moment, then ask again: other long queries run first."),
  "query.timeout": row(422, "afterChange", "warning", "Ask for a shorter range or a longer interval."),
  "import.keyUsed": row(
    409,
    "afterChange",
    "warning",
    "Give this file an Idempotency-Key of its own; the key sent belongs to another file.",
  ),
  // Ourselves
  "internal.bug": row(500, "never", "error", "Report this with the error id."),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERROR;
