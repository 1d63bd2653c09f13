import { type Static, Type } from "@sinclair/typebox";

/** RFC 9457 problem details with our error code. `traceId` finds the cause in the hub's log. */
export const Problem = Type.Object({
  type: Type.String({ description: "urn:millrace:error:<code>" }),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.String(),
  detail: Type.String(),
  nextStep: Type.String(),
  traceId: Type.String(),
  context: Type.Record(Type.String(), Type.Unknown()),
});
export type Problem = Static<typeof Problem>;
