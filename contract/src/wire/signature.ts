import type { EnrolmentBody } from "../api/enrolment.ts";
import { canonicalJson } from "../std/canonical-json.ts";
import type { Command } from "./command.ts";
import type { HubTrust } from "./hub-trust.ts";
import type { HelloBody } from "./uplink.ts";

/**
 * The exact texts that get signed (Ed25519 over their UTF-8 bytes). Each has a prefix of its own, so that a signature
 * made for one purpose is worthless for another, and holds who it is meant for, so that it is worthless elsewhere.
 */
export const helloText = (body: HelloBody): string => `millrace-hello-v1\n${canonicalJson(body)}`;
export const enrolmentText = (body: EnrolmentBody): string => `millrace-enrol-v1\n${canonicalJson(body)}`;
/** An audit chain as far as row `no`, seen by a hub at a moment. */
export const auditAnchorText = (anchor: { hubId: string; no: number; hash: string; atMs: number }): string =>
  `millrace-audit-v1\n${canonicalJson(anchor)}`;
export const manifestText = (manifestJson: string): string => `millrace-manifest-v1\n${manifestJson}`;
/** A command for one gateway. */
export const commandText = (meant: { hubId: string; gatewayId: string; command: Command }): string =>
  `millrace-command-v1\n${canonicalJson(meant)}`;
export const hubTrustText = (trust: HubTrust): string => `millrace-trust-v1\n${canonicalJson(trust)}`;
