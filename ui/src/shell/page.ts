/** What every view needs: made once, handed down. */

import type { Api } from "../server/api.ts";
import type { Clock } from "../server/clock.ts";
import type { Live } from "../server/live.ts";
import type { Dashboard, Kpi } from "../server/types.ts";
import type { Numbers } from "../words/numbers.ts";
import { Times } from "../words/times.ts";
import type { AlertBoard } from "./alert-board.ts";
import type { Preferences } from "./preferences.ts";
import type { Router } from "./router.ts";

export interface Page {
  readonly api: Api;
  readonly live: Live;
  readonly clock: Clock;
  readonly numbers: Numbers;
  readonly locales: readonly string[];
  readonly preferences: Preferences;
  readonly router: Router;
  readonly board: AlertBoard;
  readonly kpis: readonly Kpi[];
  readonly dashboards: readonly Dashboard[];
  /** What the signed-in may do: `read`, `act`, `ingest`; all where no token is asked for. */
  readonly scopes: readonly string[];
}

/** The times of a page by their zones, and the viewer's own zone: finding that out and making formats is dear, and charts ask at each commit. */
const known = new WeakMap<Page, { readonly own: string; readonly times: Map<string, Times> }>();

/** Times as the viewer wants them: in their own zone, or in that of the KPI. */
export function timesOf(page: Page, kpi?: Kpi): Times {
  let found = known.get(page);
  if (found === undefined) {
    found = { own: Intl.DateTimeFormat().resolvedOptions().timeZone, times: new Map() };
    known.set(page, found);
  }
  const zone = page.preferences.zone === "kpi" && kpi !== undefined ? kpi.timezone : found.own;
  const times = found.times.get(zone) ?? new Times(page.locales, zone);
  found.times.set(zone, times);
  return times;
}
