/** How the rows of a dashboard share the height of a screen, where they fit on one. */

import type { Row } from "../server/types.ts";
import { isOfKpi } from "./slides.ts";

type Tile = Row["tiles"][number];

/** How wide a tile of a size would like to be, as the styles have it, in rem; one that is wide has a line of its own. */
const WIDTHS_REM = { small: 14, medium: 17.5, large: 30, wide: Infinity } as const;
/** How high one must be for its chart to say something, as the styles have it, in rem. */
const LEAST_REM = { small: 12.5, medium: 12.5, large: 17, wide: 17 } as const;
/** Navigation and title; what stands above a row; a row of a text; what is between rows. In rem. */
const HEAD_REM = 8;
const TITLE_REM = 2.2;
const TEXT_REM = 4.5;
const GAP_REM = 1.3;

/** How much of the height a row takes against others, in rem at least; 0 for one of texts alone, which is as high as they are. */
export function weightOf(row: Row, width_rem: number): number {
  return linesOf(row.tiles, width_rem).reduce((sum, line) => sum + Math.max(0, ...line.filter(isOfKpi).map((tile) => LEAST_REM[tile.size])), 0);
}

/** Whether all rows can be seen on a screen at once. */
export function fit(rows: readonly Row[], width_rem: number, height_rem: number): boolean {
  const heights = rows.map((row) => (weightOf(row, width_rem) || TEXT_REM) + (row.title === null ? 0 : TITLE_REM) + GAP_REM * linesOf(row.tiles, width_rem).length);
  return heights.reduce((one, other) => one + other, HEAD_REM) <= height_rem;
}

/** Which tiles come to stand beside each other. */
function linesOf(tiles: readonly Tile[], width_rem: number): Tile[][] {
  const lines: Tile[][] = [];
  let room_rem = 0;
  for (const tile of tiles) {
    const wanted_rem = Math.min(width_rem, WIDTHS_REM[tile.size]);
    const last = lines.at(-1);
    if (last !== undefined && wanted_rem <= room_rem) last.push(tile);
    else [room_rem] = [width_rem, lines.push([tile])];
    room_rem -= wanted_rem + 1;
  }
  return lines;
}
