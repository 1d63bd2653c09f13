import { type Static, Type } from "@sinclair/typebox";
import { messageSettings } from "../mqtt/settings.ts";

export const TOKEN_CHARS_MIN = 32;

/** Settings of a device that sends its values to the gateway by itself, over MQTT or HTTP. */
export const PushSettings = Type.Object(
  {
    login: Type.String({
      minLength: 1,
      maxLength: 64,
      pattern: "^[a-z0-9][a-z0-9_.-]*$",
      main: true,
      description:
        "Name the device signs in with: its MQTT user, and the first part of its topics and addresses. One at a gateway",
      examples: ["press-3"],
    }),
    token: Type.String({
      minLength: TOKEN_CHARS_MIN,
      maxLength: 200,
      secret: true,
      made: true,
      main: true,
      description:
        "The device's own password, for MQTT and HTTP alike. Make one here and put it into the device; it is not shown again",
      examples: ["a-token-of-43-characters-made-by-this-form-"],
    }),
    ...messageSettings,
  },
  { additionalProperties: false },
);
export type PushSettings = Static<typeof PushSettings>;
