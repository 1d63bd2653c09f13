import { type Ending, type Meter, NO_METER } from "../../driver/meter.ts";
import type { Answer } from "./reader.ts";

const ENDING: Readonly<Record<Answer["at"], Ending>> = {
  data: "answer",
  exception: "refused",
  timeout: "timeout",
  garbled: "garbled",
};

/** Runs one request and tells the meter of it. @param roundTripMs of the last answer, asked when it is here */
export async function measured(
  meter: Meter | undefined,
  unit: number,
  roundTripMs: () => number | null,
  exchange: () => Promise<Answer>,
): Promise<Answer> {
  const heard = meter ?? NO_METER;
  const beganMs = heard.began();
  let answer: Answer | null = null;
  try {
    answer = await exchange();
    return answer;
  } finally {
    const code = answer?.at === "exception" ? String(answer.code) : "";
    heard.ended(unit, answer === null ? "lost" : ENDING[answer.at], beganMs, roundTripMs() ?? 0, code);
  }
}
