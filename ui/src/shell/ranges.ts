/** Ranges of time that a view's address names: the last hour, or from one moment to another. */

export const LASTS: readonly (readonly [string, string])[] = [
  ["-1h", "Last hour"],
  ["-6h", "Last 6 hours"],
  ["-1d", "Last day"],
  ["-7d", "Last 7 days"],
  ["-30d", "Last 30 days"],
];

export interface Chosen {
  /** ISO 8601, or relative to now such as `-1h`. */
  readonly from: string;
  readonly to?: string;
}

/** Milliseconds since 1970 of an ISO 8601 date with its time; null of anything else. */
export function momentOf(text: string | null | undefined): number | null {
  const time_ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text ?? "") ? Date.parse(text ?? "") : NaN;
  return Number.isNaN(time_ms) ? null : time_ms;
}

/** What an address asks for; `usual` where it says nothing that can be understood. */
export function chosen(query: URLSearchParams, usual: string): Chosen {
  const from = query.get("from") ?? "";
  const to = query.get("to") ?? "";
  const start = LASTS.some(([last]) => last === from) || momentOf(from) !== null ? from : usual;
  return momentOf(to) === null ? { from: start } : { from: start, to };
}

/** A moment as an input for a date and a time has it, in the browser's zone. */
export function localInput(time_ms: number): string {
  const date = new Date(time_ms);
  const two = (part: number): string => String(part).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** ISO 8601 of what such an input has; null where it has nothing. */
export function ofInput(text: string): string | null {
  const time_ms = momentOf(text);
  return time_ms === null ? null : new Date(time_ms).toISOString();
}
