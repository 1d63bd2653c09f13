import { type Static, Type } from "@sinclair/typebox";
import { BRANCH_PATTERN } from "../../namespace/topic.ts";
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
    listensTo: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 1_000,
        pattern: BRANCH_PATTERN,
        description:
          "Branch of the unified namespace it may listen to, such as Plant/Hall 3; # for all of it, nothing for none. It never sends there",
        examples: ["Plant/Hall 3", "#"],
      }),
    ),
    ...messageSettings,
  },
  { additionalProperties: false },
);
export type PushSettings = Static<typeof PushSettings>;
