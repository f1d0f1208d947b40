/** What keys do in a chart: move a cursor from point to point, choose a part, zoom. */

export interface Keyed {
  /** Where the cursor is, by its place among the times; null: nowhere. */
  readonly place: number | null;
  /** Where the part that is being chosen began; null: none is. */
  readonly anchor: number | null;
  readonly zoom: "none" | "part" | "in" | "out";
}

const FAR = 10;
export const KEYS_HINT =
  "Arrow keys move from point to point, page keys by ten, Home and End to the ends. Hold Shift to choose a part, Enter zooms to it; plus and minus zoom in and out, Escape lets go.";

/** What a key makes of where one is, among `count` times; null where it means nothing here. */
export function keyed(key: string, shift: boolean, { place, anchor }: Keyed, count: number): Keyed | null {
  if (count === 0) return null;
  const last = count - 1;
  const here = place ?? last;
  const moves: Readonly<Record<string, number>> = {
    ArrowLeft: place === null ? last : here - 1,
    ArrowRight: place === null ? last : here + 1,
    PageUp: here - FAR,
    PageDown: here + FAR,
    Home: 0,
    End: last,
  };
  const to = moves[key];
  if (to !== undefined) {
    return { place: Math.min(last, Math.max(0, to)), anchor: shift ? (anchor ?? here) : null, zoom: "none" };
  }
  switch (key) {
    case "Enter":
      return anchor === null || anchor === here ? null : { place: null, anchor: null, zoom: "part" };
    case "+":
      return { place, anchor: null, zoom: "in" };
    case "-":
      return { place, anchor: null, zoom: "out" };
    case "Escape":
      return place === null ? null : { place: null, anchor: null, zoom: "none" };
    default:
      return null;
  }
}
