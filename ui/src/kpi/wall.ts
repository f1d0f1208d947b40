/** Moments as the fields of a form have them: `2026-03-02T09:00:00`, by the wall clock of a zone. */

import { instantOf, type Offset } from "../chart/axis.ts";

export function wallText(time_ms: number, offset: Offset): string {
  return new Date(time_ms + offset(time_ms)).toISOString().slice(0, 19);
}

/** The moment in ms since 1970; null for what is no moment. */
export function fromWall(text: string, offset: Offset): number | null {
  const wall_ms = Date.parse(`${text.length === 16 ? `${text}:00` : text}Z`);
  return Number.isNaN(wall_ms) ? null : instantOf(wall_ms, offset);
}
