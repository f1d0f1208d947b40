/** What an element asks the server for beside its feeds, as it draws itself: the pace of a target, and values of before. */

import type { ReactiveControllerHost } from "lit";
import type { Span } from "../server/api.ts";
import type { Kpi, Pace, Point, Want } from "../server/types.ts";
import type { Page } from "../shell/page.ts";
import { Earlier } from "./earlier.ts";
import { type Window, wantOf } from "./windows.ts";

const REFRESH_MS = 60_000;
/** The numbers themselves come first. */
const AFTER_MS = 400;

/** The pace of a KPI's target, asked for anew once a minute as long as somebody reads it here. */
export class PaceOf {
  #kpi: string | null = null;
  #pace: Pace | null | undefined;
  #asked_ms = 0;

  constructor(private readonly host: ReactiveControllerHost) {}

  /** The newest; null where the target has none, or nothing known of it, and undefined while the server has not answered. */
  latest(page: Page, kpi: Kpi): Pace | null | undefined {
    const now_ms = page.clock.now();
    if (kpi.kpi !== this.#kpi) [this.#kpi, this.#pace, this.#asked_ms] = [kpi.kpi, kpi.paced ? undefined : null, 0];
    if (kpi.paced && now_ms - this.#asked_ms >= REFRESH_MS) {
      this.#asked_ms = now_ms;
      void this.#load(page, kpi.kpi);
    }
    return this.#pace;
  }

  async #load(page: Page, kpi: string): Promise<void> {
    // what can't be asked now is asked in a minute; until then the last holds
    const found = await page.api.pace(kpi).catch(() => this.#pace ?? null);
    if (kpi !== this.#kpi) return;
    this.#pace = found;
    this.host.requestUpdate();
  }
}

/** A KPI's values at the same time before. */
export class EarlierOf {
  #of = "";
  #earlier: Earlier | null = null;

  constructor(private readonly host: ReactiveControllerHost & Element) {}

  of(page: Page, kpi: Kpi, window: Window): Earlier {
    const of = JSON.stringify([kpi.kpi, window.step]);
    if (this.#earlier === null || of !== this.#of) {
      this.#of = of;
      const ask = (from_ms: number, to_ms: number): Promise<readonly Point[] | null> => this.#ask(page, wantOf(kpi, window), { from: iso(from_ms), to: iso(to_ms) });
      this.#earlier = new Earlier(ask, window.step_ms, kpi.timezone, () => this.host.requestUpdate());
    }
    return this.#earlier;
  }

  /** Null where the server can't tell: of so far back it may have kept coarser buckets only. */
  async #ask(page: Page, want: Want, span: Span): Promise<readonly Point[] | null> {
    await new Promise((done) => setTimeout(done, AFTER_MS));
    if (!this.host.isConnected) return null; // it was scrolled past
    const answer = await page.api.points(want, span).catch(() => null);
    return answer?.points ?? null;
  }
}

function iso(time_ms: number): string {
  return new Date(time_ms).toISOString();
}
