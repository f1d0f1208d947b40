/** What the address of an embedded KPI says. */

import type { Theme } from "../shell/preferences.ts";
import { parseDuration } from "../words/durations.ts";

export interface Embedded {
  readonly kpi: string;
  /** From the fragment, which browsers send to no server; null where there is none. */
  readonly token: string | null;
  readonly theme: Theme;
  /** How far back the chart goes; null: as suits the KPI. */
  readonly span: string | null;
  /** The dimension it is split by. */
  readonly by: string | null;
}

const THEMES: readonly Theme[] = ["light", "dark"];

export function embeddedBy(url: URL): Embedded {
  const span = url.searchParams.get("span");
  return {
    kpi: decodeURIComponent(url.pathname.split("/")[2] ?? ""),
    token: new URLSearchParams(url.hash.slice(1)).get("token") || null,
    theme: THEMES.find((each) => each === url.searchParams.get("theme")) ?? "system",
    span: span !== null && isDuration(span) ? span : null,
    by: url.searchParams.get("by"),
  };
}

function isDuration(text: string): boolean {
  try {
    return parseDuration(text) > 0;
  } catch {
    return false;
  }
}
