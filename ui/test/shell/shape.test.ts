import { expect, test } from "vitest";
import { cardsOf, shapeOf } from "../../src/shell/shape.ts";

test.each([
  [1, 16 / 9, [1, 1]],
  [2, 16 / 9, [2, 1]],
  [4, 16 / 9, [2, 2]],
  [5, 16 / 9, [3, 2]],
  [6, 16 / 9, [3, 2]],
  [3, 9 / 19, [1, 3]],
] as const)("%d tiles on a screen of %d are %s columns and rows", (count, aspect, shape) => {
  const [columns, rows] = shapeOf(count, aspect);
  expect(columns * rows).toBeGreaterThanOrEqual(count);
  expect([columns, rows]).toEqual(shape);
});

test("cards fill a room as long as each has room enough", () => {
  expect(cardsOf(12, 174, 90)).toEqual([4, 3]);
  expect(cardsOf(8, 79, 42)).toEqual([4, 2]);
  expect(cardsOf(1, 79, 42)).toEqual([1, 1]);
  // a phone, and many
  expect(cardsOf(3, 21.5, 40)).toBeNull();
  expect(cardsOf(200, 174, 90)).toBeNull();
});
