/** What a KPI's view asks for beside its feeds: which slices are the greatest, pace, outlook, alerts and annotations of the range. */

import type { ReactiveController, ReactiveControllerHost } from "lit";
import { lengthOf } from "../chart/window.ts";
import type { Alert, Annotation, Kpi, Pace, Point } from "../server/types.ts";
import type { Page } from "../shell/page.ts";
import { Question } from "../shell/question.ts";
import { parseDuration } from "../words/durations.ts";
import { gathered } from "./outlook.ts";
import { type Ranking, rank } from "./split.ts";
import type { KpiState } from "./state.ts";
import { conditionOf } from "./where.ts";

const RANKING_MS = 60_000;
const PACE_MS = 15_000;
const OUTLOOK_MS = 5_000;
/** How many of the newest steps have an outlook that changes. */
const OUTLOOK_STEPS = 20;

export interface About {
  readonly kpi: Kpi;
  readonly state: KpiState;
  readonly step: string;
  readonly timezone: string;
  /** When a commit last changed what is shown; null before one did. */
  readonly heard_ms: number | null;
}

/** An answer, and which question it is to. */
interface Of<T> {
  readonly of: string;
  readonly found: T;
}

export class Asked implements ReactiveController {
  /** To be set before the host updates its questions; null: nothing is asked. */
  about: About | null = null;
  readonly ranking: Question<Of<Ranking> | null>;
  readonly pace: Question<Pace | null>;
  readonly outlook: Question<Of<readonly Point[]> | null>;
  readonly alerts: Question<readonly Alert[]>;
  readonly notes: Question<readonly Annotation[]>;
  #leave: (() => void)[] = [];

  constructor(
    host: ReactiveControllerHost,
    private readonly page: () => Page,
  ) {
    const ask = <T>(about: () => unknown, question: () => Promise<T>, more: { every_ms?: number; news?: () => unknown } = {}): Question<T> =>
      new Question(host, { page, about, ask: question, ...more });
    const news = (): unknown => this.about?.heard_ms;
    this.ranking = ask(() => this.about && [rankedBy(this.about), this.about.state.window], () => this.#rank(), { every_ms: RANKING_MS });
    this.pace = ask(() => this.about?.kpi.kpi, () => this.#pace(), { every_ms: PACE_MS, news });
    this.outlook = ask(() => this.about && outlookOf(this.about), () => this.#outlook(), { every_ms: OUTLOOK_MS, news });
    this.alerts = ask(() => this.about && [this.about.kpi.watched, this.about.state.window], () => this.#alerts());
    this.notes = ask(() => this.about && [this.about.kpi.kpi, this.about.state.window], () => this.#notes());
    host.addController(this);
  }

  /**
   * The ranking of what is shown; null while it is not known. Until that of another range is there, the one before counts: mostly it is
   * the same, and lines that are asked for at once are there after one answer in place of two.
   */
  ranked(): Ranking | null {
    const { about } = this;
    const answer = this.ranking.answer;
    return about !== null && answer !== null && answer.of === rankedBy(about) ? answer.found : null;
  }

  /** What is known of the newest points beside their values. */
  looking(): readonly Point[] {
    const answer = this.outlook.answer;
    return answer !== null && this.about !== null && answer.of === outlookOf(this.about) ? answer.found : [];
  }

  hostUpdate(): void {
    if (this.#leave.length > 0) return;
    const { live } = this.page();
    this.#leave = [
      live.on("alert", () => this.alerts.again()),
      live.on("annotation", () => this.notes.again()),
      // where there was no slice yet there may be one now
      live.on("commit", () => this.ranked()?.top.length === 0 && !this.ranking.busy && this.ranking.again()),
    ];
  }

  hostDisconnected(): void {
    for (const leave of this.#leave) leave();
    this.#leave = [];
  }

  async #rank(): Promise<Of<Ranking> | null> {
    const { about } = this;
    if (about === null || about.state.by === null) return null;
    const { kpi, state } = about;
    const by = about.state.by;
    const where = conditionOf(state.filters);
    const want = { kpi: kpi.kpi, by: [by], step: "all", ...(where !== undefined && { where }) };
    const { points } = await this.page().api.points(want, this.#span(state));
    return { of: rankedBy(about), found: rank(points, by, state.top) };
  }

  async #pace(): Promise<Pace | null> {
    const kpi = this.about?.kpi;
    return kpi == null || !kpi.paced ? null : this.page().api.pace(kpi.kpi);
  }

  async #outlook(): Promise<Of<readonly Point[]> | null> {
    const { about } = this;
    if (about === null || about.state.by !== null || !about.state.expected || !("span_ms" in about.state.window)) return null;
    const { kpi, step, timezone, state } = about;
    const where = conditionOf(state.filters);
    const now_ms = this.page().clock.now();
    const from_ms = now_ms - OUTLOOK_STEPS * parseDuration(step);
    const want = { kpi: kpi.kpi, step, timezone, ...(where !== undefined && { where }) };
    const { points } = await this.page().api.points(want, { from: new Date(from_ms).toISOString() }, { extra: ["band", "prediction"] });
    const of = outlookOf(about);
    const before = this.outlook.answer?.of === of ? this.outlook.answer.found : [];
    return { of, found: gathered(before, points, now_ms - lengthOf(state.window)) };
  }

  async #alerts(): Promise<readonly Alert[]> {
    const { about } = this;
    if (about === null || about.kpi.watched.length === 0) return [];
    const asked = { ...this.#span(about.state), rule: about.kpi.watched };
    return (await this.page().api.get<{ alerts: Alert[] }>("/v1/alerts/history", asked)).alerts;
  }

  async #notes(): Promise<readonly Annotation[]> {
    const { about } = this;
    return about === null ? [] : this.page().api.annotations(this.#span(about.state), about.kpi.kpi);
  }

  #span({ window }: KpiState): { from: string; to?: string } {
    const iso = (time_ms: number): string => new Date(time_ms).toISOString();
    if ("span_ms" in window) return { from: iso(this.page().clock.now() - window.span_ms) };
    return { from: iso(window.from_ms), to: iso(window.to_ms) };
  }
}

/** Which slices a ranking is of: the same as long as neither KPI, dimension, filters nor how many change. */
function rankedBy({ kpi, state }: About): string {
  return JSON.stringify([kpi.kpi, state.by, state.top, state.filters]);
}

function outlookOf({ kpi, step, timezone, state }: About): string {
  return JSON.stringify([kpi.kpi, step, timezone, state.by, state.filters, state.window, state.expected]);
}
