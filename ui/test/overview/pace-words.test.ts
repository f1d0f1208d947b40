import { expect, test } from "vitest";
import { paceWords } from "../../src/overview/pace-words.ts";
import { Numbers } from "../../src/words/numbers.ts";
import { Times } from "../../src/words/times.ts";
import { at, pace } from "./samples.ts";

const NUMBERS = new Numbers(["en-GB"]);
const TIMES = new Times(["en-GB"], "UTC");
const words = (differs = {}) => paceWords(pace(differs), { unit: null }, NUMBERS, TIMES, at(0));

test("where a day's target stands and is heading", () => {
  expect(words()).toEqual({ stands: "400 of 1,000 today", heading: "heading for 800 of 1,000 today (80%)", brief: "heading for 80% of 1,000 today", done: 0.4, gone: 0.5 });
});

test("what is not known is not said", () => {
  expect(words({ projected: null, ratio: null, so_far: null })).toMatchObject({ stands: "– of 1,000 today", heading: "", brief: "– of 1,000 today", done: 0 });
});

test("a bar is full at most, and empty at least", () => {
  expect(words({ so_far: 2_000 }).done).toBe(1);
  expect(words({ so_far: -5 }).done).toBe(0);
  expect(words({ from: "2026-03-01T13:00:00Z" }).gone).toBe(0);
});

test.each([
  ["2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z", "this hour"],
  ["2026-03-01T12:00:00Z", "2026-03-01T12:30:00Z", "in 30 minutes"],
  ["2026-02-23T00:00:00Z", "2026-03-02T00:00:00Z", "this week"],
  ["2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", "this month"],
  ["2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "by 1 Jan 2027"],
  ["2026-03-29T00:00:00Z", "2026-03-29T23:00:00Z", "today"],
])("from %s to %s is %s", (from, to, text) => {
  expect(words({ from, to }).stands).toBe(`400 of 1,000 ${text}`);
});
