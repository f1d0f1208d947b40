/** From which number to which a chart's upright axis goes. */

export type Extent = readonly [low: number, high: number];

/**
 * The extent of some numbers, with room above and below. Zero belongs to it where the numbers are not far from it, so that a small
 * wobble of large numbers can be seen and a small number looks small.
 */
export function extentOf(values: Iterable<number | null | undefined>, room = 0.06): Extent {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value === null || value === undefined || !Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return [0, 1];
  if (low >= 0 && low < high * 0.5) low = 0;
  else if (high <= 0 && high > low * 0.5) high = 0;
  if (low === high) return low === 0 ? [0, 1] : [low - Math.abs(low) * 0.5, high + Math.abs(high) * 0.5];
  const margin = (high - low) * room;
  return [low === 0 ? 0 : low - margin, high === 0 ? 0 : high + margin];
}
