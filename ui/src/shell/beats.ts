/** Moments that all that beats on a page have in common: what is drawn at one of them costs one frame, where each for itself would cost one each. */

/** How long from `now_ms` to a multiple of `every_ms`: the one nearest to a whole `every_ms` away. */
export function untilBeat(now_ms: number, every_ms: number): number {
  return Math.round(now_ms / every_ms + 1) * every_ms - now_ms;
}
