import { describe, expect, test } from "bun:test";
import { decideLink, LINK_RETRY, type Link, retryMs } from "./link.ts";

const now = { wallMs: 1_000_000, monoMs: 5_000 };
const cause = { code: "link.refused", message: "127.0.0.1:5020 refused the connection." } as const;
const failed = { saw: "failed", cause, chance: 0.5 } as const;

describe("link", () => {
  test("says what failed, how often, and when it tries next", () => {
    const opening: Link = { at: "opening", sinceMs: 900_000, failures: 3 };
    const { state, action, reason } = decideLink(opening, failed, now);
    expect(state).toMatchObject({ at: "waiting", sinceMs: 900_000, failures: 4 });
    expect(action).toEqual({ do: "closeAndWait", waitMs: 1_000 });
    expect(reason).toBe("127.0.0.1:5020 refused the connection. Failed 4 times, next try in 1 s.");
  });

  test("a port that accepts and drops is not asked at full speed", () => {
    let state: Link = { at: "opening", sinceMs: 0, failures: 20 };
    state = decideLink(state, { saw: "opened" }, now).state;
    const dropped = decideLink(state, failed, now);
    expect(dropped.action).toEqual({ do: "closeAndWait", waitMs: LINK_RETRY.capMs });
    const answered = decideLink(state, { saw: "answered" }, now).state;
    expect(decideLink(answered, failed, now).action).toEqual({
      do: "closeAndWait",
      waitMs: LINK_RETRY.quickMs,
    });
  });

  test("a wrong setting is not tried again", () => {
    const wrong = { saw: "failed", cause: { code: "setting.wrong", message: "no" }, chance: 0 } as const;
    const { state } = decideLink({ at: "opening", sinceMs: 0, failures: 0 }, wrong, now);
    expect(state.at).toBe("refused");
    expect(decideLink(state, { saw: "due" }, now).action).toEqual({ do: "nothing" });
  });

  test("waits stay within the cap and its jitter", () => {
    for (let failures = 1; failures < 200; failures++) {
      expect(retryMs(failures, 0)).toBeGreaterThanOrEqual(800);
      expect(retryMs(failures, 0.999)).toBeLessThanOrEqual(LINK_RETRY.capMs * 1.2);
    }
  });
});
