/** How things of one kind are laid out on a screen. */

/** What a number with its words and its line looks best in: width by height. */
const BEST_ASPECT = 1.6;

/** What a card needs at least, with the gap to the next, in rem. */
const CARD_REM = [18.5, 15.75] as const;

export type Shape = readonly [columns: number, rows: number];

/** How many columns and rows so many take on a screen of a shape (width by height). */
export function shapeOf(count: number, aspect: number): Shape {
  return best(count, aspect, () => true) ?? [1, count];
}

/** The columns and rows in which so many cards fill a room of so many rem; null where they don't fit in it, and one scrolls. */
export function cardsOf(count: number, width_rem: number, height_rem: number): Shape | null {
  const [least_width, least_height] = CARD_REM;
  return best(count, width_rem / height_rem, (columns, rows) => width_rem / columns >= least_width && height_rem / rows >= least_height);
}

function best(count: number, aspect: number, usable: (columns: number, rows: number) => boolean): Shape | null {
  let found: Shape | null = null;
  let least = Infinity;
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    // an empty place is a pity
    const cost = Math.abs(Math.log(((aspect / columns) * rows) / BEST_ASPECT)) + (columns * rows - count) * 0.3;
    if (cost < least && usable(columns, rows)) [found, least] = [[columns, rows], cost];
  }
  return found;
}
