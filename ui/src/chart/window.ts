/** Which stretch of time a chart shows. */

/** A time that moves with now, or one that stands; in ms. */
export type Window = { readonly span_ms: number } | { readonly from_ms: number; readonly to_ms: number };

export function lengthOf(window: Window): number {
  return "span_ms" in window ? window.span_ms : window.to_ms - window.from_ms;
}

/** From when to when a window is; one that moves goes on by whole px. */
export function windowAt(window: Window, now_ms: number, width: number): { from_ms: number; to_ms: number } {
  if ("from_ms" in window) return window;
  const px_ms = Math.max(1, window.span_ms / Math.max(1, width));
  const to_ms = Math.ceil(now_ms / px_ms) * px_ms;
  return { from_ms: to_ms - window.span_ms, to_ms };
}

/** The earlier first. */
export function ordered(one_ms: number, other_ms: number): readonly [number, number] {
  return one_ms < other_ms ? [one_ms, other_ms] : [other_ms, one_ms];
}
