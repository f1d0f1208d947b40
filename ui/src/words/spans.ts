/** How long something took and how much there is, in words of the viewer's locale. */

const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;
const SIZES = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** A span by its two largest units: `3 hr 20 min`, `45 sec`; what is shorter than a second counts as none. */
export function spanText(span_ms: number, locales: readonly string[]): string {
  const whole_ms = Math.max(0, span_ms);
  const first = UNITS.findIndex(([, size]) => whole_ms >= size);
  const [unit, size] = UNITS[first < 0 ? UNITS.length - 1 : first] as (typeof UNITS)[number];
  const finer = first < 0 ? undefined : UNITS[first + 1];
  const text = inUnit(Math.floor(whole_ms / size), unit, locales);
  const rest = finer === undefined ? 0 : Math.floor((whole_ms % size) / finer[1]);
  return finer === undefined || rest === 0 ? text : `${text} ${inUnit(rest, finer[0], locales)}`;
}

/** An amount of bytes in a unit in which it has one to three digits before the point. */
export function bytesText(bytes: number, locales: readonly string[]): string {
  const power = bytes < 1_000 ? 0 : Math.min(SIZES.length - 1, Math.floor(Math.log10(bytes) / 3));
  const amount = bytes / 1_000 ** power;
  return inUnit(amount, SIZES[power] as string, locales, power === 0 || amount >= 100 ? 0 : 1);
}

function inUnit(amount: number, unit: string, locales: readonly string[], digits = 0): string {
  return new Intl.NumberFormat([...locales], { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: digits }).format(amount);
}
