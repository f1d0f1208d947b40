import { describe, expect, it } from "vitest";
import type uPlot from "uplot";
import { drawGrounds, drawMarks, fitted, united } from "../../src/chart/overlays.ts";
import type { Scene } from "../../src/chart/scene.ts";

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

/** A canvas that can only be set, saved and restored. */
class Canvas {
  state: Record<string, unknown> = { fillStyle: "as it was", strokeStyle: "as it was", font: "as it was", lineWidth: 7 };
  readonly #saved: Record<string, unknown>[] = [];

  readonly ctx = new Proxy({}, {
    get: (_, name: string) => {
      if (name === "save") return () => void this.#saved.push({ ...this.state });
      if (name === "restore") return () => void (this.state = this.#saved.pop() ?? {});
      if (name === "measureText") return (text: string) => ({ width: text.length });
      return this.state[name] ?? (() => undefined);
    },
    set: (_, name: string, value: unknown) => {
      this.state[name] = value;
      return true;
    },
  }) as CanvasRenderingContext2D;
}

describe("what is drawn beside the lines", () => {
  it("leaves the canvas as uPlot believes it to be, or the axes have another colour than they should", () => {
    Object.assign(globalThis, { devicePixelRatio: 1 });
    const canvas = new Canvas();
    const before = { ...canvas.state };
    const plot = { ctx: canvas.ctx, bbox: { left: 0, top: 0, width: 100, height: 50 }, valToPos: (value: number) => value } as unknown as uPlot;
    const colours = { alert: "rgb(1, 2, 3)", accent: "rgb(4, 5, 6)", muted: "rgb(7, 8, 9)", text: "rgb(0, 0, 0)", surface: "rgb(9, 9, 9)", size: 16, font: "serif" };
    const spans = [{ from_ms: 1, to_ms: 9, text: "Too many", kind: "alert" }, { from_ms: 3, to_ms: 3, text: "Release", kind: "note" }];
    const drawing = { open_ms: 5, corrected: [{ time_ms: 2, value: 3, line: 0 }] };
    const scene = { spans, colours, drawing, target: 4, compact: false, now_ms: 99, short: String } as unknown as Scene;
    drawGrounds(plot, scene);
    drawMarks(plot, scene);
    expect(canvas.state).toEqual(before);
  });
});
