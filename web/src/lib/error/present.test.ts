import { describe, expect, test } from "bun:test";
import { ERROR } from "@millrace/contract/error/code";
import { asFault, faultOf, HubFault } from "./fault.ts";
import { present, TITLE } from "./present.ts";

describe("error texts", () => {
  test("every code of the contract has a title and a next step", () => {
    for (const code of Object.keys(ERROR) as (keyof typeof ERROR)[]) {
      const shown = present(new HubFault(code, "detail", "trace"));
      expect(shown.title.length, code).toBeGreaterThan(5);
      expect(shown.nextStep.length, code).toBeGreaterThan(5);
    }
  });
  test("titles say different things for different codes", () => {
    const titles = Object.values(TITLE);
    expect(new Set(titles).size).toBe(titles.length);
  });
});

describe("refused requests", () => {
  const problem = {
    type: "urn:millrace:error:setup.tokenWrong",
    title: "x",
    status: 403,
    code: "setup.tokenWrong",
    detail: "This set-up token is not the one printed.",
    nextStep: "y",
    traceId: "t-1",
    context: {},
  };
  test("a problem keeps its code, sentence and trace id", () => {
    const fault = faultOf(403, problem);
    expect([fault.code, fault.detail, fault.traceId]).toEqual(["setup.tokenWrong", problem.detail, "t-1"]);
  });
  test("a code of a newer hub falls back to what its status means", () => {
    expect(faultOf(409, { ...problem, code: "future.code" }).code).toBe("entity.conflict");
  });
  test.each([
    [401, "auth.required"],
    [429, "request.tooMany"],
    [500, "internal.bug"],
    [502, "internal.bug"],
    [418, "web.answerUnexpected"],
  ] as const)("status %p without a problem body becomes %p", (status, code) => {
    expect(faultOf(status, { message: "other words" }).code).toBe(code);
  });
  test("anything thrown becomes a fault", () => {
    expect(asFault(new Error("boom")).detail).toBe("boom");
    expect(asFault("text").code).toBe("internal.bug");
  });
});
