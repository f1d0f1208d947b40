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

/** Times as the viewer wants them: in their own zone, or in that of the KPI. */
export function timesOf(page: Page, kpi?: Kpi): Times {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return new Times(page.locales, page.preferences.zone === "kpi" && kpi !== undefined ? kpi.timezone : own);
}
