import { ERROR } from "@millrace/contract/error/code";
import type { FaultCode, HubFault } from "./fault.ts";

/** What a panel says: what failed, the facts, and what to do now. */
export interface Presented {
  title: string;
  text: string;
  nextStep: string;
  traceId: string;
}

/** One short title per code: what failed, in the words of the person in front of the screen. */
export const TITLE: Record<FaultCode, string> = {
  "request.invalid": "Something in the form is not right",
  "request.malformed": "The hub could not read the request",
  "request.tooLarge": "The request is too large",
  "request.tooMany": "Too many attempts",
  "route.unknown": "The hub does not know this address",
  "entity.missing": "This does not exist",
  "entity.conflict": "Somebody changed this meanwhile",
  "entity.inUse": "This is still in use",
  "retention.confirm": "This would delete history",
  "auth.required": "You are signed out",
  "auth.refused": "Sign-in refused",
  "auth.forbidden": "You may not do this",
  "auth.originRefused": "The hub does not trust this address",
  "auth.fresh": "Is it still you?",
  "auth.mustEnrol": "A second factor is needed",
  "auth.passkeyNeeded": "Your passkey is needed",
  "auth.codeWrong": "The code is wrong",
  "auth.pinLocked": "The PIN is locked on this tablet",
  "auth.deviceNotShared": "This is no shared tablet",
  "auth.lastAdministrator": "This is the last administrator",
  "auth.lastFactor": "This is the last way to sign in",
  "password.weak": "This password is guessed too easily",
  "passkey.refused": "The passkey was refused",
  "invitation.refused": "This link does not work",
  "sso.unavailable": "Single sign-on cannot be reached",
  "setup.done": "This hub is set up already",
  "setup.tokenWrong": "The set-up link is not valid",
  "claim.refused": "The claim was refused",
  "uplink.refused": "The gateway was refused",
  "uplink.fenced": "Another gateway uses this identity",
  "uplink.sequenceConflict": "The gateway was restored or cloned",
  "uplink.cloned": "Two machines use one gateway's identity",
  "command.away": "The gateway is not connected",
  "command.refused": "The gateway takes no commands",
  "write.off": "Writing to this tag is off",
  "write.limits": "The value is beyond the limits",
  "write.selection": "This choice no longer counts",
  "write.proof": "Show once more who you are",
  "write.second": "A second person must agree",
  "write.unseen": "The present value is not known",
  "write.changed": "The value has changed meanwhile",
  "write.held": "An earlier press is not taken back yet",
  "write.lockedOut": "Writes are locked out at the machine",
  "write.notArmed": "Nobody at the machine has armed writing",
  "write.notTaken": "The machine keeps another value",
  "field.away": "Nobody is there to run the test",
  "field.unsupported": "This tool is not there",
  "field.timeout": "The test took too long",
  "uplink.protocol": "Gateway and hub do not understand each other",
  "uplink.unreachable": "The gateway cannot reach the hub",
  "uplink.untrusted": "The gateway does not trust the hub's certificate",
  "request.plain": "This needs the https address",
  "certificate.wrong": "The certificate cannot be used",
  "certificate.failed": "No certificate from the authority",
  "uplink.busy": "The hub asked for a pause",
  "uplink.silent": "The hub stopped answering the gateway",
  "frame.garbled": "Data arrived damaged",
  "frame.gap": "Data arrived out of order",
  "frame.tooLarge": "A piece of data is too large",
  "block.garbled": "Stored data is damaged",
  "block.version": "Data of a newer gateway",
  "block.limit": "Data over the limit",
  "block.invalid": "A sample that cannot be stored",
  "manifest.refused": "The gateway refused its manifest",
  "manifest.signature": "The manifest is not signed by this hub",
  "manifest.stale": "An older manifest was sent",
  "link.refused": "The device refused the connection",
  "link.unreachable": "The device cannot be reached",
  "link.lost": "The connection to the device was lost",
  "link.untrusted": "The server's certificate is not trusted",
  "link.denied": "The server does not let the gateway in",
  "link.garbled": "The device answers nonsense",
  "device.timeout": "The device does not answer",
  "device.busy": "The device is busy",
  "device.unreachable": "The device behind the converter does not answer",
  "device.failed": "The device reports a failure",
  "device.refused": "The device does not allow this",
  "address.illegal": "The device does not know this address",
  "setting.wrong": "A setting is wrong",
  "outbox.overflow": "The gateway's buffer was full",
  "outbox.failed": "The gateway cannot write its buffer",
  "outbox.corrupt": "The gateway's buffer was damaged",
  "database.unavailable": "The hub cannot reach its database",
  "audit.unwritable": "The audit cannot be written, so nothing may be changed",
  "database.failed": "The hub's database failed",
  "query.tooLarge": "This is too much for one request",
  "query.busy": "The hub is busy with other queries",
  "query.timeout": "The query took too long",
  "import.keyUsed": "This key belongs to another import",
  "internal.bug": "Something went wrong inside Millrace",
  "web.unreachable": "The hub cannot be reached",
  "web.answerUnexpected": "The answer made no sense",
};

const WEB_NEXT_STEP: Record<"web.unreachable" | "web.answerUnexpected", string> = {
  "web.unreachable": "Check this device's network. Millrace tries again by itself.",
  "web.answerUnexpected":
    "Reload the page. If it stays, the hub and this page differ in version, or a proxy is in between.",
};

/** Next step for a code: the contract's own for the hub's codes, so that hub, gateway and web say the same. */
export function nextStepOf(code: FaultCode): string {
  if (code === "web.unreachable" || code === "web.answerUnexpected") return WEB_NEXT_STEP[code];
  return ERROR[code].nextStep;
}

export function present(fault: HubFault): Presented {
  return {
    title: TITLE[fault.code],
    text: fault.detail,
    nextStep: typeof fault.context.nextStep === "string" ? fault.context.nextStep : nextStepOf(fault.code),
    traceId: fault.traceId,
  };
}
