import { describe, expect, it } from "vitest";
import { keyed } from "../../src/chart/keys.ts";

const nowhere = { place: null, anchor: null, zoom: "none" } as const;
const at = (place: number, anchor: number | null = null) => ({ place, anchor, zoom: "none" }) as const;

describe("keys in a chart", () => {
  it("begin at the newest point and move to neighbours, never past the ends", () => {
    expect(keyed("ArrowLeft", false, nowhere, 20)?.place).toBe(19);
    expect(keyed("ArrowLeft", false, at(5), 20)?.place).toBe(4);
    expect(keyed("ArrowRight", false, at(19), 20)?.place).toBe(19);
    expect(keyed("PageUp", false, at(5), 20)?.place).toBe(0);
    expect(keyed("PageDown", false, at(5), 20)?.place).toBe(15);
    expect(keyed("Home", false, at(5), 20)?.place).toBe(0);
    expect(keyed("End", false, at(5), 20)?.place).toBe(19);
  });

  it("choose a part from where Shift was pressed first, and zoom to it", () => {
    const first = keyed("ArrowLeft", true, at(5), 20);
    expect(first).toEqual({ place: 4, anchor: 5, zoom: "none" });
    expect(keyed("ArrowLeft", true, at(4, 5), 20)).toEqual({ place: 3, anchor: 5, zoom: "none" });
    expect(keyed("Enter", false, at(3, 5), 20)?.zoom).toBe("part");
    expect(keyed("ArrowLeft", false, at(3, 5), 20)?.anchor).toBeNull();
  });

  it("zoom to nothing where no part is chosen", () => {
    expect(keyed("Enter", false, at(3), 20)).toBeNull();
    expect(keyed("Enter", false, at(3, 3), 20)).toBeNull();
  });

  it("zoom in and out, let go, and leave other keys to the page", () => {
    expect(keyed("+", false, at(3), 20)?.zoom).toBe("in");
    expect(keyed("-", false, nowhere, 20)?.zoom).toBe("out");
    expect(keyed("Escape", false, at(3, 5), 20)).toEqual(nowhere);
    expect(keyed("Escape", false, nowhere, 20)).toBeNull();
    expect(keyed("Tab", false, at(3), 20)).toBeNull();
    expect(keyed("ArrowLeft", false, nowhere, 0)).toBeNull();
  });
});
