/** Conditions over a KPI's dimensions, as the server's `where` reads them. */

import type { Dimension } from "../server/types.ts";

/** One value of a dimension that alone is shown. */
export interface Filter {
  readonly dimension: string;
  readonly value: Dimension;
}

/** Those slices and no others; undefined where all are meant. */
export function conditionOf(filters: readonly Filter[]): string | undefined {
  return all(filters.map(({ dimension, value }) => among(dimension, [value])));
}

/** Both of two conditions, where there are two. */
export function both(one: string | undefined, other: string): string {
  return one === undefined ? other : `${one} and (${other})`;
}

/** The slices of a dimension that are given. Null is in no list of SQL, so it is said apart. */
export function among(dimension: string, values: readonly Dimension[]): string {
  const known = values.filter((value) => value !== null);
  const parts = known.length > 0 ? [`${name(dimension)} in (${known.map(literal).join(", ")})`] : [];
  if (known.length < values.length) parts.push(`${name(dimension)} is null`);
  return parts.join(" or ") || "1 = 0";
}

/** The slices of a dimension that are not given: what `among` leaves, null too. */
export function apart(dimension: string, values: readonly Dimension[]): string {
  const known = values.filter((value) => value !== null);
  const not = known.length > 0 ? `not ${name(dimension)} in (${known.map(literal).join(", ")})` : "";
  if (known.length < values.length) return `${name(dimension)} is not null${not && ` and ${not}`}`;
  return `${name(dimension)} is null${not && ` or ${not}`}`;
}

function all(conditions: readonly string[]): string | undefined {
  return conditions.length === 0 ? undefined : conditions.map((each) => `(${each})`).join(" and ");
}

function literal(value: Dimension): string {
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
}

function name(dimension: string): string {
  return `"${dimension.replaceAll('"', '""')}"`;
}
