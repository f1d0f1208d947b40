/** Numbers with their units, by the viewer's locale. */

import type { Value } from "../server/types.ts";

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));
/** Units that Intl knows, by the names people write in a definition. */
const UNITS: Readonly<Record<string, string>> = {
  s: "second",
  ms: "millisecond",
  min: "minute",
  h: "hour",
  bytes: "byte",
  B: "byte",
  kB: "kilobyte",
  MB: "megabyte",
  GB: "gigabyte",
};
const BYTES = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte"] as const;
/** Beyond these a number is written by its power of ten. */
const LEAST_PLAIN = 1e-6;
const MOST_PLAIN = 1e18;
export const NO_VALUE = "–";

export interface NumberOptions {
  /** Large numbers shortened: 1.2M. */
  readonly compact?: boolean;
  /** Whole numbers without zeros after the point, as on an axis. */
  readonly round?: boolean;
}

export class Numbers {
  #formats = new Map<string, Intl.NumberFormat>();

  constructor(private readonly locales: readonly string[]) {}

  /** A value as text: `1,234.50 €`, `3.2 %`, `17 ms`; what is no number as it is. */
  text(value: Value | undefined, unit: string | null = null, options: NumberOptions = {}): string {
    if (value === null || value === undefined) return NO_VALUE;
    if (typeof value !== "number") return String(value);
    const compact = options.compact === true && Math.abs(value) >= 10_000;
    if (compact && (unit === "B" || unit === "bytes")) return this.#bytes(value);
    const style = styleOf(unit);
    const zeros = options.round === true ? { trailingZeroDisplay: "stripIfInteger" as const } : {};
    const text = this.#format({ ...style, ...precision(value, style, compact), ...zeros }).format(value);
    return style.style === undefined && unit ? `${text}\u00a0${unit}` : text;
  }

  /** A relative change with its sign: `+12 %`. */
  change(ratio: number): string {
    return this.#format({ style: "percent", signDisplay: "exceptZero", maximumFractionDigits: 1 }).format(ratio);
  }

  /** In the largest unit of bytes that leaves a whole number: `96.8 MB`. */
  #bytes(value: number): string {
    const power = Math.min(BYTES.length - 1, Math.floor(Math.log10(Math.abs(value)) / 3));
    return this.#format({ style: "unit", unit: BYTES[power], unitDisplay: "short", maximumSignificantDigits: 3 }).format(value / 1_000 ** power);
  }

  /** Making a format is dear, so each is kept. */
  #format(options: Intl.NumberFormatOptions): Intl.NumberFormat {
    const key = JSON.stringify(options);
    const found = this.#formats.get(key) ?? new Intl.NumberFormat([...this.locales], options);
    this.#formats.set(key, found);
    return found;
  }
}

function styleOf(unit: string | null): Intl.NumberFormatOptions {
  if (unit === null || unit === "") return {};
  if (unit === "ratio") return { style: "percent" };
  if (CURRENCIES.has(unit)) return { style: "currency", currency: unit, currencyDisplay: "narrowSymbol" };
  const known = UNITS[unit];
  return known === undefined ? {} : { style: "unit", unit: known, unitDisplay: "short" };
}

function precision(value: number, style: Intl.NumberFormatOptions, compact: boolean): Intl.NumberFormatOptions {
  const size = Math.abs(value);
  if (size >= MOST_PLAIN ? compact : size !== 0 && size < LEAST_PLAIN && style.style !== "currency") return { notation: "scientific", maximumSignificantDigits: 3 };
  if (compact) return { notation: "compact", maximumSignificantDigits: 3 };
  // small amounts of money have their usual two places
  return style.style === "currency" && size < 10_000 ? {} : { maximumFractionDigits: digits(value, style) };
}

/** As many digits after the point as leave about three that matter. */
function digits(value: number, style: Intl.NumberFormatOptions): number {
  if (Number.isInteger(value) && style.style !== "percent") return 0;
  const size = Math.abs(style.style === "percent" ? value * 100 : value);
  if (size === 0 || size >= 100) return size >= 1_000 || size === 0 ? 0 : 1;
  return size >= 10 ? 1 : size >= 1 ? 2 : Math.min(6, 2 - Math.floor(Math.log10(size)));
}
