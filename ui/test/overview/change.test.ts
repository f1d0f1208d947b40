import { expect, test } from "vitest";
import { changeOf } from "../../src/overview/change.ts";
import { Numbers } from "../../src/words/numbers.ts";

const NUMBERS = new Numbers(["en-GB"]);
const UP = { good: "up", unit: null } as const;
const ERRORS = { good: "down", unit: "ratio" } as const;

test("more of what is good is better", () => {
  expect(changeOf(112, 100, "week", UP, NUMBERS)).toEqual({
    direction: "up", verdict: "better", amount: "+12%", against: "better than last week", full: "+12%, better than the same time last week",
  });
});

test("less of it is worse, and yesterday is said", () => {
  expect(changeOf(90, 100, "day", UP, NUMBERS)).toMatchObject({ direction: "down", verdict: "worse", amount: "-10%", against: "worse than yesterday" });
});

test("where the file does not say what is good, nothing is judged", () => {
  expect(changeOf(90, 100, "day", { good: null, unit: null }, NUMBERS)).toMatchObject({ verdict: "neither", against: "against yesterday" });
});

test("a share changes by points", () => {
  expect(changeOf(0.023, 0.013, "week", ERRORS, NUMBERS)).toMatchObject({ verdict: "worse", amount: "+1 point" });
  expect(changeOf(0.01, 0.014, "week", ERRORS, NUMBERS)).toMatchObject({ verdict: "better", amount: "-0.4 points" });
  expect(changeOf(0.01, 0, "week", ERRORS, NUMBERS)).toMatchObject({ verdict: "worse", amount: "+1 point" });
});

test("what differs little has not changed", () => {
  expect(changeOf(1_001, 1_000, "week", UP, NUMBERS)).toMatchObject({ direction: "same", verdict: "neither", amount: "no change" });
  expect(changeOf(0, 0, "week", UP, NUMBERS)).toMatchObject({ direction: "same" });
});

test("many times as much is said so", () => {
  expect(changeOf(4_100, 100, "week", UP, NUMBERS)).toMatchObject({ amount: "×41" });
});

test("what was zero, or is below it, has changed by so much", () => {
  expect(changeOf(-50, -100, "week", UP, NUMBERS)).toMatchObject({ direction: "up", verdict: "better", amount: "+50" });
  expect(changeOf(-5.16, 1.2, "day", { good: null, unit: "°C" }, NUMBERS)).toMatchObject({ direction: "down", amount: "-6.36\u00a0°C" });
  expect(changeOf(40, -2, "day", { good: "up", unit: "EUR" }, NUMBERS)).toMatchObject({ direction: "up", amount: "+€42.00" });
  expect(changeOf(5, 0, "week", UP, NUMBERS)).toMatchObject({ direction: "up", verdict: "better", amount: "+5" });
});

test("what is no number is compared with nothing", () => {
  expect(changeOf("open", 1, "week", UP, NUMBERS)).toBeNull();
  expect(changeOf(1, null, "week", UP, NUMBERS)).toBeNull();
});
