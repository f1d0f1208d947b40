import { expect, test } from "vitest";
import { untilBeat } from "../../src/shell/beats.ts";

test("what beats alike meets at the same moments, whenever it began", () => {
  const moments = [1_000, 1_200, 1_700, 2_100].map((now_ms) => now_ms + untilBeat(now_ms, 1_500));
  expect(moments).toEqual([3_000, 3_000, 3_000, 3_000]);
});

test("a beat is never far from one away", () => {
  for (let now_ms = 0; now_ms < 10_000; now_ms += 37) {
    const wait_ms = untilBeat(now_ms, 700);
    expect(wait_ms).toBeGreaterThanOrEqual(350);
    expect(wait_ms).toBeLessThanOrEqual(1_050);
  }
});

test("a timer that rings a little late does not drift", () => {
  expect(2_003 + untilBeat(2_003, 1_000)).toBe(3_000);
});
