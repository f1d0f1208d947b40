import { describe, expect, it } from "vitest";
import { lengthOf, ordered, windowAt } from "../../src/chart/window.ts";

describe("a window", () => {
  it("that moves ends now, by whole px, so that it does not tremble", () => {
    const at = (now_ms: number) => windowAt({ span_ms: 1_000 }, now_ms, 100);
    expect(at(5_001)).toEqual({ from_ms: 4_010, to_ms: 5_010 });
    expect(at(5_009)).toEqual(at(5_001));
    expect(at(5_011)).toEqual({ from_ms: 4_020, to_ms: 5_020 });
  });

  it("that stands stays", () => {
    expect(windowAt({ from_ms: 1, to_ms: 7 }, 99, 100)).toEqual({ from_ms: 1, to_ms: 7 });
    expect([lengthOf({ from_ms: 1, to_ms: 7 }), lengthOf({ span_ms: 5 })]).toEqual([6, 5]);
    expect([ordered(1, 2), ordered(2, 1)]).toEqual([[1, 2], [1, 2]]);
  });
});
