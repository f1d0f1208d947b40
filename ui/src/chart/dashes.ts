/** What tells lines apart: colours that the colour-blind can tell, and dashes for whoever sees none. */

import type { Line } from "./layers.ts";

const DASHES: readonly (readonly number[])[] = [[], [8, 4], [3, 3], [9, 3, 2, 3], [14, 4], [5, 5], [9, 3, 2, 3, 2, 3], [2, 5]];
/** How many lines can be told apart, beside the rest. */
export const MOST_LINES = DASHES.length;

/** The name of a line's colour and dash, by its place: `line-0`, …, `line-rest`. */
export function styleOf(line: Line, place: number): string {
  return line.kind === "rest" ? "line-rest" : `line-${place % MOST_LINES}`;
}

/** A line's dash on a canvas. */
export function dashOf(line: Line, place: number): number[] {
  return line.kind === "rest" ? [] : [...(DASHES[place % MOST_LINES] ?? [])];
}
