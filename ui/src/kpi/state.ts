/** What a KPI's view shows, and how the address says it, so that a link shows the same. */

import { MOST_LINES } from "../chart/dashes.ts";
import type { Window } from "../chart/window.ts";
import type { Dimension, Kpi } from "../server/types.ts";
import { formatDuration, parseDuration } from "../words/durations.ts";
import type { Filter } from "./where.ts";

const DAY_MS = 86_400_000;
export const SPANS = ["15m", "1h", "6h", "1d", "1w", "30d"] as const;
export const TOPS = [3, 5, MOST_LINES] as const;
/** Earlier times to compare with: what the server is asked, what people say. */
export const COMPARED: Readonly<Record<string, string>> = { "1d": "a day before", "1w": "a week before" };

export interface KpiState {
  readonly window: Window;
  /** Null: chosen for the width. */
  readonly step: string | null;
  readonly by: string | null;
  readonly top: number;
  readonly filters: readonly Filter[];
  readonly compare: string | null;
  /** Whether what is expected is shown. */
  readonly expected: boolean;
  /** Whether the table is open. */
  readonly table: boolean;
}

/** What an address asks for; what makes no sense there counts as not said. */
export function stateOf(query: URLSearchParams, kpi: Kpi): KpiState {
  const by = query.get("by");
  const top = Number(query.get("top") ?? TOPS[1]);
  const compare = query.get("compare");
  return {
    window: windowOf(query, kpi),
    step: stepOf(query.get("step"), kpi),
    by: by !== null && kpi.by.includes(by) ? by : null,
    top: Number.isInteger(top) && top >= 1 && top <= MOST_LINES ? top : TOPS[1],
    filters: filtersOf(query.get("only"), kpi),
    compare: compare !== null && compare in COMPARED ? compare : null,
    expected: query.get("expected") !== "no",
    table: query.get("table") === "yes",
  };
}

/** The parameters of the address; null for what is as it usually is. */
export function parametersOf(state: KpiState, kpi: Kpi): Record<string, string | null> {
  const { window } = state;
  const moving = "span_ms" in window;
  return {
    span: moving && window.span_ms !== usualSpan(kpi) ? formatDuration(window.span_ms) : null,
    from: moving ? null : new Date(window.from_ms).toISOString(),
    to: moving ? null : new Date(window.to_ms).toISOString(),
    step: state.step,
    by: state.by,
    top: state.by !== null && state.top !== TOPS[1] ? String(state.top) : null,
    only: state.filters.length > 0 ? JSON.stringify(Object.fromEntries(state.filters.map(({ dimension, value }) => [dimension, value]))) : null,
    compare: state.compare,
    expected: state.expected ? null : "no",
    table: state.table ? "yes" : null,
  };
}

/** How long a time shows some hundred buckets. */
export function usualSpan(kpi: Kpi): number {
  const every_ms = parseDuration(kpi.every);
  return parseDuration(SPANS.find((span) => parseDuration(span) >= every_ms * 60) ?? "30d");
}

/** The window twice as long about the same middle, though not past now. */
export function widened(window: Window, now_ms: number): Window {
  if ("span_ms" in window) {
    const longer = SPANS.map(parseDuration).find((each) => each > window.span_ms);
    return { span_ms: longer ?? Math.min(window.span_ms * 2, 400 * DAY_MS) };
  }
  const length_ms = window.to_ms - window.from_ms;
  const to_ms = Math.min(window.to_ms + length_ms / 2, Math.max(now_ms, window.to_ms));
  return { from_ms: Math.round(to_ms - 2 * length_ms), to_ms: Math.round(to_ms) };
}

/** The window that was chosen, no shorter than three steps of the KPI's buckets. */
export function narrowed(from_ms: number, to_ms: number, every_ms: number): Window {
  const least_ms = 3 * every_ms;
  if (to_ms - from_ms >= least_ms) return { from_ms, to_ms };
  const middle_ms = (from_ms + to_ms) / 2;
  return { from_ms: Math.round(middle_ms - least_ms / 2), to_ms: Math.round(middle_ms + least_ms / 2) };
}

function windowOf(query: URLSearchParams, kpi: Kpi): Window {
  const [from_ms, to_ms] = [Date.parse(query.get("from") ?? ""), Date.parse(query.get("to") ?? "")];
  if (from_ms < to_ms) return { from_ms, to_ms };
  const span_ms = durationOf(query.get("span"));
  return { span_ms: span_ms ?? usualSpan(kpi) };
}

function stepOf(text: string | null, kpi: Kpi): string | null {
  const step_ms = durationOf(text);
  return step_ms !== null && step_ms % parseDuration(kpi.every) === 0 ? text : null;
}

function durationOf(text: string | null): number | null {
  try {
    const found_ms = text === null ? 0 : parseDuration(text);
    return found_ms > 0 ? found_ms : null;
  } catch {
    return null;
  }
}

function filtersOf(text: string | null, kpi: Kpi): Filter[] {
  try {
    const found = JSON.parse(text ?? "{}") as unknown;
    if (typeof found !== "object" || found === null) return [];
    return Object.entries(found).flatMap(([dimension, value]) =>
      kpi.by.includes(dimension) && isDimension(value) ? [{ dimension, value }] : [],
    );
  } catch {
    return [];
  }
}

function isDimension(value: unknown): value is Dimension {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}
