/** Alerts and annotations as what a chart draws beside its lines. */

import type { Span } from "../chart/scene.ts";
import type { Alert, Annotation } from "../server/types.ts";

export function spansOf(alerts: readonly Alert[], notes: readonly Annotation[]): Span[] {
  return [
    // one that was corrected away lasted no time
    ...alerts.filter((alert) => alert.ended !== alert.started).map((alert) => ({
      from_ms: Date.parse(alert.started),
      to_ms: alert.ended === null ? null : Date.parse(alert.ended),
      text: [alert.title, ...Object.values(alert.series)].join(" · "),
      kind: "alert" as const,
    })),
    ...notes.map((note) => ({
      from_ms: Date.parse(note.time),
      to_ms: note.end === null ? null : Date.parse(note.end),
      text: note.text,
      kind: "note" as const,
    })),
  ];
}
