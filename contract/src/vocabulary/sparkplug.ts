import { type Static, Type } from "@sinclair/typebox";

/** `connecting`: no link to the broker. `waiting`: linked, and the primary host is not online. `online`: born. */
export const SparkplugState = Type.Union([
  Type.Literal("connecting"),
  Type.Literal("waiting"),
  Type.Literal("online"),
  Type.Literal("stopped"),
]);
export type SparkplugState = Static<typeof SparkplugState>;

const Count = Type.Integer({ minimum: 0 });
const MsOrNull = Type.Union([Type.Number(), Type.Null()]);

/** How a gateway's edge node is. Counts are since its start or its last new settings. */
export const SparkplugStatus = Type.Object({
  state: SparkplugState,
  sinceMs: Type.Number({ description: "When this state began, ms UTC" }),
  /** Error code of the cause; empty while it is online or waits. */
  code: Type.String({ maxLength: 64 }),
  reason: Type.String({ maxLength: 500 }),
  groupId: Type.String({ maxLength: 200 }),
  edgeNodeId: Type.String({ maxLength: 200 }),
  births: Type.Integer({ minimum: 0, description: "Births of the edge node" }),
  lastBirthMs: MsOrNull,
  rebirths: Type.Integer({ minimum: 0, description: "Births a host asked for" }),
  lastRebirthMs: MsOrNull,
  devicesOnline: Count,
  messages: Type.Integer({ minimum: 0, description: "Messages told" }),
  waiting: Type.Integer({ minimum: 0, description: "Changes that wait to be told" }),
  dropped: Type.Integer({ minimum: 0, description: "Changes that found no room and are lost to the hosts" }),
  writesDone: Count,
  writesRefused: Count,
});
export type SparkplugStatus = Static<typeof SparkplugStatus>;
