import { describe, expect, it } from "vitest";
import { fitted, united } from "../../src/chart/overlays.ts";

/** A canvas on which each letter is one wide. */
const ctx = { measureText: (text: string) => ({ width: [...text].length }) as TextMetrics };

describe("words above a chart", () => {
  it("are cut where they do not fit, between letters", () => {
    expect(fitted(ctx, "Release 4", 9)).toBe("Release 4");
    expect(fitted(ctx, "Release 4", 8)).toBe("Release…");
    expect(fitted(ctx, "🚀🚀🚀🚀", 3)).toBe("🚀🚀…");
  });
});

describe("stretches", () => {
  it("that overlap or touch are one", () => {
    expect(united([[5, 7], [0, 2], [1, 3], [3, 4]])).toEqual([[0, 4], [5, 7]]);
    expect(united([[0, 9], [1, 2]])).toEqual([[0, 9]]);
  });
});
