/** What a person says of alerts, as the server takes it. */

import { momentOf } from "../shell/ranges.ts";
import type { About, Kind } from "./types.ts";

export const CUSTOM = "custom";
/** How long a silence or an acknowledgement may be chosen to hold, and how that is called. */
export const SPANS: Readonly<Record<Kind, readonly (readonly [string, string])[]>> = {
  silences: [["1h", "1 hour"], ["4h", "4 hours"], ["1d", "1 day"], [CUSTOM, "Until…"]],
  acknowledgements: [["1d", "Until it is over, a day at most"], ["1h", "1 hour at most"], ["4h", "4 hours at most"]],
};

export interface Filled {
  readonly author: string;
  readonly reason: string;
  /** One of the spans. */
  readonly span: string;
  /** A local date and time as an input has it, where the span is custom. */
  readonly until: string;
  /** Whether it is about the whole rule though one series was meant. */
  readonly whole: boolean;
}

/** What is sent; throws with what is missing or wrong. */
export function sayingOf(about: About, filled: Filled, now_ms: number): Record<string, unknown> {
  const author = filled.author.trim();
  const reason = filled.reason.trim();
  if (author === "") throw new Error("Say who you are, so that others can ask.");
  if (reason === "") throw new Error("Say why, so that others understand it.");
  const end = filled.span === CUSTOM ? { until: untilOf(filled.until, now_ms) } : { for: filled.span };
  return { ...(about.rule !== null && { rule: about.rule }), series: filled.whole ? {} : about.series, author, reason, ...end };
}

function untilOf(text: string, now_ms: number): string {
  const until_ms = momentOf(text);
  if (until_ms === null) throw new Error("Give the date and the time until when it shall hold.");
  if (until_ms <= now_ms) throw new Error("The time until when it shall hold must be yet to come.");
  return new Date(until_ms).toISOString();
}
