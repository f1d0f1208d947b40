/** What a card reads off a KPI's points. */

import type { Point } from "../server/types.ts";
import type { Window } from "./windows.ts";

export interface Reading {
  /** The point whose value the card shows large; null where there is none. */
  readonly shown: Point | null;
  /** When the time that the value is of was over, in ms. */
  readonly end_ms: number;
  /** Whether it is of an earlier time than the newest there could be one of. */
  readonly old: boolean;
  /** Whether its time is not over yet: there is no number before. */
  readonly partial: boolean;
  /** The point of the time that is not over yet, where that is another. */
  readonly open: Point | null;
}

/**
 * The newest point whose time is over, and the one after it.
 *
 * Whether a point is final is another matter: a file that waits an hour for late events would have its cards an hour behind, so what
 * is over is shown and called provisional. Of a level the newest holds, over or not.
 */
export function readingOf(points: readonly Point[], window: Window, now_ms: number): Reading {
  const newest = points.findLast((point) => point.value !== null) ?? null;
  if (newest === null) return { shown: null, end_ms: 0, old: false, partial: false, open: null };
  const isOpen = endOf(newest, window) > now_ms;
  const over = isOpen ? points.findLast((point) => point.value !== null && endOf(point, window) <= now_ms) : newest;
  if (window.level || over === undefined) return { shown: newest, end_ms: endOf(newest, window), old: false, partial: isOpen && !window.level, open: null };
  const end_ms = endOf(over, window);
  return { shown: over, end_ms, old: now_ms - end_ms > window.step_ms * 1.5, partial: false, open: isOpen ? newest : null };
}

function endOf(point: Point, window: Window): number {
  return Date.parse(point.time) + window.step_ms;
}
