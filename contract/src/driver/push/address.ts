import { Type } from "@sinclair/typebox";
import {
  formatSource,
  type MessageRules,
  type MessageSource,
  parseSource,
  refuseAddress,
} from "../message-address.ts";

export interface PushAddress extends MessageRules {
  source: MessageSource;
}

export const PushAddressText = Type.String({
  minLength: 1,
  maxLength: 500,
  description:
    "Topic below the device's own, + and # allowed; then json= and a path when the payload is JSON, and time= and a path when it carries its time",
  examples: ["temperature", "state json=$.motor.speed", "state json=$.values[0] time=$.ts"],
});

/** @throws AppError `address.illegal` naming what was found and what would be right */
export function parseAddress(text: string, { staleMs, missing }: MessageRules): PushAddress {
  const source = parseSource(text);
  if (source.topic.startsWith("$")) refuseAddress(text, "$ at the beginning", "a device has no such topics");
  if (source.topic.startsWith("/"))
    refuseAddress(text, "/ at the beginning", "write the topic below the device's own");
  return { source, staleMs, missing };
}

/** The canonical text; `parseAddress` gives the address back. */
export const formatAddress = ({ source }: PushAddress): string => formatSource(source);
