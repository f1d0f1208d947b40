import { expect, test } from "vitest";
import { readingOf } from "../../src/overview/reading.ts";
import { windowOf } from "../../src/overview/windows.ts";
import { at, kpi, point } from "./samples.ts";

const MINUTES = windowOf(kpi());
const LEVEL = windowOf(kpi({ value: "last(level)" }));

test("the newest minute that is over is shown, final or not, and the one after it is open", () => {
  const points = [point(0, 1), point(1, 2, false), point(2, 3, false)];
  const reading = readingOf(points, MINUTES, at(2.5));
  expect(reading).toMatchObject({ shown: points[1], end_ms: at(2), open: points[2], old: false, partial: false });
});

test("at the very end of a minute it is over", () => {
  const points = [point(1, 2), point(2, 3, false)];
  expect(readingOf(points, MINUTES, at(3))).toMatchObject({ shown: points[1], open: null, old: false });
});

test("a number of long ago is called old", () => {
  expect(readingOf([point(1, 2)], MINUTES, at(9))).toMatchObject({ old: true, end_ms: at(2), open: null });
});

test("where nothing is over yet the open one is shown, and called so", () => {
  const points = [point(2, 3, false)];
  expect(readingOf(points, MINUTES, at(2.5))).toMatchObject({ shown: points[0], partial: true, old: false, open: null });
});

test("there may be nothing, or points without a value", () => {
  expect(readingOf([], MINUTES, at(2))).toMatchObject({ shown: null, open: null });
  expect(readingOf([point(0, 1), point(1, null)], MINUTES, at(2)).shown?.value).toBe(1);
});

test("of a level the newest holds", () => {
  const points = [point(1, 2), point(2, 3, false)];
  expect(readingOf(points, LEVEL, at(2.5))).toMatchObject({ shown: points[1], open: null, partial: false });
});
