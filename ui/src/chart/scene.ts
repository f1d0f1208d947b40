/** All that one drawing of a chart shows. */

import type { Offset, TickTexts } from "./axis.ts";
import type { Colours } from "./colours.ts";
import type { Drawing, Line } from "./layers.ts";

/** Something that lasted, or a moment, with its words. */
export interface Span {
  readonly from_ms: number;
  /** Null: it lasts still. */
  readonly to_ms: number | null;
  readonly text: string;
  readonly kind: "alert" | "note";
}

export interface Scene {
  readonly lines: readonly Line[];
  readonly drawing: Drawing;
  readonly from_ms: number;
  readonly to_ms: number;
  readonly now_ms: number;
  /** Whether a value stands until the next. */
  readonly stepped: boolean;
  readonly spans: readonly Span[];
  readonly target: number | null;
  /** Without words above the plot. */
  readonly compact: boolean;
  readonly colours: Colours;
  readonly ticks: TickTexts;
  readonly offset: Offset;
  /** A value as text, short enough for an axis. */
  readonly short: (value: number) => string;
}
