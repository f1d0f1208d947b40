import { describe, expect, it } from "vitest";
import { extentOf } from "../../src/chart/extent.ts";
import { sparkOf, usualStep } from "../../src/chart/spark.ts";
import type { Point } from "../../src/server/types.ts";

const NOW = Date.UTC(2026, 2, 2, 9);
const SPAN = 100_000;

/** A point so many seconds after the start of the span. */
function point(at_s: number, value: number | null, final = true): Point {
  return { time: new Date(NOW - SPAN + at_s * 1_000).toISOString(), value, final };
}

describe("a sparkline", () => {
  it("goes from the span's start to its end, the larger the higher", () => {
    const { final, provisional, end } = sparkOf([point(0, 0), point(50, 100), point(100, 0)], SPAN, NOW);
    const ys = [...final.matchAll(/[ML](\S+) (\S+?)(?=[ML]|$)/g)].map(([, x, y]) => [Number(x), Number(y)]);
    expect(ys.map(([x]) => x)).toEqual([0, 50, 100]);
    expect(ys[0]?.[1]).toBe(30);
    expect(ys[1]?.[1]).toBeLessThan(5);
    expect(provisional).toBe("");
    expect(end).toEqual([100, 30]);
  });

  it("leaves out what is before the span and what is no number", () => {
    expect(sparkOf([point(-10, 5), point(10, null)], SPAN, NOW)).toEqual({ final: "", provisional: "", ground: "", end: null });
  });

  it("has a gap where a bucket is missing", () => {
    const { final } = sparkOf([0, 10, 20, 40, 50].map((at) => point(at, 1)), SPAN, NOW);
    expect(final.match(/M/g)).toHaveLength(2);
  });

  it("draws what is not final apart, from the last final point on", () => {
    const { final, provisional } = sparkOf([point(0, 1), point(10, 2), point(20, 3, false)], SPAN, NOW);
    expect(final).toMatch(/^M0 \S+L10 \S+$/);
    expect(provisional).toMatch(/^M10 \S+L20 \S+$/);
  });

  it("has its ground towards zero: below what is positive, above what is negative, on both sides of what is both", () => {
    const edges = (...values: number[]): unknown => {
      const { ground } = sparkOf(values.map((value, place) => point(place * 10, value)), SPAN, NOW);
      return [/^M\S+ (\S+?)L/.exec(ground)?.[1], /L\S+ (\S+?)Z$/.exec(ground)?.[1]].map(Number);
    };
    expect(edges(1, 3, 2)).toEqual([30, 30]);
    expect(edges(-1, -3, -2)).toEqual([0, 0]);
    expect(edges(-1, 1, 0)).toEqual([15, 15]);
    expect(edges(100, 101)).toEqual([30, 30]); // zero is far below
    expect(edges(-100, -101)).toEqual([0, 0]);
  });

  it("draws a point alone as a dot", () => {
    expect(sparkOf([point(50, 7)], SPAN, NOW).final).toBe("M50 15h0");
  });
});

describe("the usual step", () => {
  it("is what most neighbours are apart, so that a gap does not count", () => {
    expect(usualStep([0, 10, 20, 50, 60])).toBe(10);
    expect(usualStep([0])).toBe(Infinity);
  });
});

describe("an extent", () => {
  it("has zero where numbers are near it, and shows a wobble of large ones", () => {
    expect(extentOf([10, 100], 0)).toEqual([0, 100]);
    expect(extentOf([900, 1_000], 0)).toEqual([900, 1_000]);
    expect(extentOf([-100, -10], 0)).toEqual([-100, 0]);
    expect(extentOf([-5, 5], 0.1)).toEqual([-6, 6]);
  });

  it("is never empty", () => {
    expect(extentOf([])).toEqual([0, 1]);
    expect(extentOf([null, Number.NaN, 0])).toEqual([0, 1]);
    expect(extentOf([4, 4])).toEqual([2, 6]);
  });
});
