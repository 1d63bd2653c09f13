import type { Stack } from "../../stack/stack.ts";

const STEPS = ["journal", "hour", "day"] as const;
export type Step = (typeof STEPS)[number];

/** Samples a step of the compactor has moved, and the seconds it took for them, since the hub started. */
export async function stepsOf(stack: Stack): Promise<Record<Step, { samples: number; seconds: number }>> {
  const headers = { authorization: `Bearer ${stack.apiKey}` };
  const text = await (await fetch(`${stack.hubUrl}/metrics`, { headers })).text();
  const read = (name: string, step: Step) =>
    Number(
      new RegExp(`^millrace_hub_historian_${name}\\{step="${step}"\\} (\\S+)$`, "m").exec(text)?.[1] ?? 0,
    );
  const of = (step: Step) => ({
    samples: read("samples_total", step),
    seconds: read("step_seconds_sum", step),
  });
  return { journal: of("journal"), hour: of("hour"), day: of("day") };
}
