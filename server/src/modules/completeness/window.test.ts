import { expect, test } from "bun:test";
import { DAY_MINUTES, emptyDay, fillSlots, hasBit, rangeBits, setRange } from "./bits.ts";
import { countDays, type TagDay } from "./window.ts";

const day = (good: [number, number][], from = 0, to = DAY_MINUTES): TagDay => {
  const bits = emptyDay();
  for (const [a, b] of good) setRange(bits, a, b);
  return { good: bits, bad: emptyDay(), from, to };
};

test("one outage costs two pairs, one over midnight as well", () => {
  expect(
    countDays(
      [
        day([
          [0, 600],
          [660, 1_440],
        ]),
      ],
      1,
    ),
  ).toEqual({
    expected: 1_440,
    received: 1_380,
    arrived: true,
    pairs: 1_439,
    flips: 2,
  });
  const over = countDays([day([[0, 1_400]]), day([[40, 1_440]])], 1);
  expect(over).toMatchObject({ received: 2_800, pairs: 2_879, flips: 2 });
  const at = countDays([day([[0, 1_440]]), day([])], 1);
  expect(at).toMatchObject({ pairs: 2_879, flips: 1 });
});

test("what was not due does not count, nor a pair with it", () => {
  expect(countDays([day([[0, 50]], 100, 103)], 1)).toEqual({
    expected: 3,
    received: 0,
    arrived: false,
    pairs: 2,
    flips: 0,
  });
  expect(countDays([day([], 0, 0), day([[0, 10]], 5, 20)], 1)).toMatchObject({ pairs: 14, flips: 1 });
  const bad = { ...day([]), bad: rangeBits(0, 1) };
  expect(countDays([bad], 1)).toMatchObject({ received: 0, arrived: true });
});

/** Slot after slot, as somebody would count by hand. */
function byHand(days: readonly TagDay[], slot: number): { pairs: number; flips: number } {
  const slots = days.flatMap(({ good, from, to }, d) =>
    Array.from({ length: Math.ceil((to - from) / slot) }, (_, i) => ({
      at: d * DAY_MINUTES + from + i * slot,
      came: hasBit(good, from + i * slot),
    })),
  );
  let [pairs, flips] = [0, 0];
  for (let i = 1; i < slots.length; i++) {
    pairs++;
    if (slots[i]!.came !== slots[i - 1]!.came) flips++;
  }
  return { pairs, flips };
}

test("words at a time give the same as slots by hand", () => {
  let seed = 7;
  const chance = () => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  for (let round = 0; round < 60; round++) {
    const slot = [1, 2, 5, 7, 60][round % 5]!;
    const days = Array.from({ length: 3 }, () => {
      const made = day([]);
      for (let m = 0; m < DAY_MINUTES; m++)
        if (chance() < (round % 3) / 4 + 0.1) setRange(made.good, m, m + 1);
      fillSlots(made.good, slot);
      return made;
    });
    const { pairs, flips } = countDays(days, slot);
    expect([round, { pairs, flips }]).toEqual([round, byHand(days, slot)]);
  }
});
