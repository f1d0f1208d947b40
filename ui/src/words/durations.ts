/** Durations as the definition file writes them: `10s`, `1m`, `1h`, `1d`, `1w`, `1y`. */

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 } as const;

/** Milliseconds; throws where the text is no duration. */
export function parseDuration(text: string): number {
  let total_ms = 0;
  const rest = text.replace(/(\d+(?:\.\d+)?)(ms|[smhdwy])/g, (_, count: string, unit: keyof typeof UNITS) => {
    total_ms += Number(count) * UNITS[unit];
    return "";
  });
  if (rest !== "" || text === "") throw new Error(`${JSON.stringify(text)} is no duration such as 10s, 1m, 1h, 1d`);
  return total_ms;
}

/** The shortest text of a duration that is whole in some unit. */
export function formatDuration(duration_ms: number): string {
  for (const unit of ["w", "d", "h", "m", "s"] as const) {
    if (duration_ms % UNITS[unit] === 0 && duration_ms >= UNITS[unit]) return `${duration_ms / UNITS[unit]}${unit}`;
  }
  return `${duration_ms}ms`;
}

const STEPS = ["1s", "5s", "10s", "15s", "30s", "1m", "2m", "5m", "10m", "15m", "30m", "1h", "2h", "3h", "6h", "12h", "1d", "1w"];

/** The finest usual step that is a multiple of the bucket and needs at most `most` points over a span. */
export function stepFor(span_ms: number, every_ms: number, most: number): string {
  const fits = STEPS.find((step) => {
    const step_ms = parseDuration(step);
    return step_ms >= every_ms && step_ms % every_ms === 0 && span_ms / step_ms <= most;
  });
  if (span_ms / every_ms <= most) return formatDuration(every_ms);
  return fits ?? "1w";
}
