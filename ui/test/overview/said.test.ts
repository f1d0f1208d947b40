import { expect, test } from "vitest";
import { saidOf } from "../../src/overview/said.ts";
import { point } from "./samples.ts";

const text = (value: number) => `${value} EUR`;

test("a line is said by its ends and its newest", () => {
  expect(saidOf([point(0, 5), point(1, -3), point(2, 9), point(3, null), point(4, 7)], text)).toBe("4 values, from -3 EUR to 9 EUR, the newest 7 EUR");
});

test("what is no line is not said", () => {
  expect(saidOf([], text)).toBe("");
  expect(saidOf([point(0, 5), point(1, "open")], text)).toBe("");
});
