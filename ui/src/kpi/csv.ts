/** Points as CSV (RFC 4180), as `livekpi query --format csv` writes them. */

import type { Line } from "../chart/layers.ts";
import type { Dimension, Value } from "../server/types.ts";

const EXTRAS = ["corrected", "before", "expected", "low", "high", "score", "predicted", "predicted_low", "predicted_high"] as const;

/** A row a point, in order of time; `by` names the dimension that lines are slices of. What nothing has is left out. */
export function csvOf(lines: readonly Line[], by: string | null): string {
  const extras = EXTRAS.filter((name) => lines.some((line) => line.points.some((point) => point[name] !== undefined)));
  const rows = lines.flatMap((line) =>
    line.points.map((point) => ({
      time: point.time,
      cells: [
        point.time,
        ...(by === null ? [] : [line.kind === "rest" ? line.name : (point[by] ?? null)]),
        point.value,
        point.final,
        ...extras.map((name) => point[name] ?? null),
      ],
    })),
  );
  rows.sort((one, other) => one.time.localeCompare(other.time));
  const head = ["time", ...(by === null ? [] : [by]), "value", "final", ...extras];
  return [head, ...rows.map((row) => row.cells)].map((cells) => `${cells.map(cell).join(",")}\n`).join("");
}

function cell(value: Value | Dimension): string {
  if (value === null) return "";
  if (typeof value !== "string") return String(value);
  // a sheet takes what begins like a formula for one
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A name for a file: `revenue 2026-03-02T09-00.csv`. */
export function fileName(kpi: string, now_ms: number, ending: string): string {
  return `${kpi} ${new Date(now_ms).toISOString().slice(0, 16).replaceAll(":", "-")}.${ending}`;
}

/** Has the browser save something. */
export function save(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
