/** A KPI's own view. */

import { html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import "../chart/chart.ts";
import type { Chart } from "../chart/chart.ts";
import type { Line } from "../chart/layers.ts";
import type { Window } from "../chart/window.ts";
import { ServerError } from "../server/api.ts";
import type { Feed, Range } from "../server/feed.ts";
import type { Kpi, Want } from "../server/types.ts";
import { Feeds, Follow } from "../shell/follow.ts";
import { type Page, timesOf } from "../shell/page.ts";
import type { Route } from "../shell/router.ts";
import { shared } from "../shell/styles.ts";
import { parseDuration } from "../words/durations.ts";
import { aboutPanel } from "./about-panel.ts";
import { alertsPanel } from "./alerts-panel.ts";
import { Asked } from "./asked.ts";
import { csvOf, fileName, save } from "./csv.ts";
import "./head.ts";
import "./notes.ts";
import { withOutlook } from "./outlook.ts";
import { spansOf } from "./overlays.ts";
import { pacePanel } from "./pace-panel.ts";
import "./points-table.ts";
import { type Ranking, restName, sliceNamed, slicesOf } from "./split.ts";
import { COMPARED, type KpiState, narrowed, parametersOf, stateOf, widened } from "./state.ts";
import { targetOf } from "./target.ts";
import "./toolbar.ts";
import { viewStyles } from "./view-styles.ts";
import { coarserThan, stepOf, wantsOf } from "./wants.ts";

/** Steps follow the width in pieces of this, so that not each px asks the server anew. */
const WIDTH_GRAIN_PX = 150;

/** What is shown, worked out once for each drawing. */
interface Shown {
  readonly kpi: Kpi;
  readonly state: KpiState;
  readonly step: string;
  readonly timezone: string;
  readonly lines: readonly Line[];
  readonly feeds: readonly Feed[];
}

@customElement("lk-kpi")
export class KpiView extends LitElement {
  static override styles = [shared, viewStyles];

  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) route!: Route;
  @state() private width_px = 900;
  @state() private problem = "";
  /** A coarser step for what was shown when the finer one was refused. */
  @state() private coarser: { readonly of: string; readonly step: string } | null = null;
  @query("lk-chart") private chart!: Chart;

  readonly #feeds = new Feeds(this);
  readonly #asked = new Asked(this, () => this.page);
  #shownFeeds: readonly Feed[] = [];
  readonly #sized = new ResizeObserver(() => this.#measure());

  constructor() {
    super();
    new Follow(this, () => this.page.board, "changed");
    new Follow(this, () => this.page.preferences, "changed");
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#sized.observe(this);
    this.#measure();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#sized.disconnect();
  }

  protected override willUpdate(): void {
    const kpi = this.#kpi();
    if (kpi === undefined) return;
    const found = stateOf(this.route.query, kpi);
    const heard_ms = this.#shownFeeds.reduce<number | null>((newest, feed) => Math.max(newest ?? 0, feed.heard_ms ?? 0) || null, null);
    this.#asked.about = { kpi, state: found, step: this.#stepOf(kpi, found), timezone: timesOf(this.page, kpi).timezone, heard_ms };
  }

  override render(): TemplateResult {
    const { page } = this;
    const kpi = this.#kpi();
    if (kpi === undefined) {
      return html`<h1>There is no KPI “${this.route.name}”</h1><p>It may have another name now, or have left the definition. <a href="/">To the overview</a></p>`;
    }
    const shown = this.#show(kpi);
    this.#shownFeeds = shown.feeds;
    const { state: chosen, step, lines, timezone } = shown;
    const error = shown.feeds.find((feed) => feed.error !== null)?.error ?? this.#asked.ranking.error;
    const whole = chosen.by === null && chosen.filters.length === 0;
    const step_ms = parseDuration(step);
    const compared = chosen.compare === null ? null : (COMPARED[chosen.compare] ?? null);
    const { alerts, notes } = this.#asked;
    return html`
      <lk-kpi-head .page=${page} .kpi=${kpi}></lk-kpi-head>
      <section class="panel" aria-label="Chart">
        <lk-kpi-toolbar
          .kpi=${kpi} .state=${chosen} .step=${step} .timezone=${timezone} .shown=${this.#range(chosen.window)}
          @choose=${(event: CustomEvent<Partial<KpiState>>) => this.#choose(shown, event.detail)}
        ></lk-kpi-toolbar>
        <lk-chart
          .page=${page} .kpi=${kpi} .lines=${lines} .step_ms=${step_ms} .window=${chosen.window} .compared=${compared}
          .target=${whole && kpi.target !== null ? targetOf(kpi, this.#asked.pace.answer, step_ms) : null}
          .problem=${error?.message ?? this.problem} .spans=${spansOf(alerts.answer ?? [], notes.answer ?? [])}
          ?loading=${error === null && (shown.feeds.length === 0 || !shown.feeds.every((feed) => feed.ready))}
          @zoom=${(event: CustomEvent<{ from_ms: number; to_ms: number }>) => this.#zoom(shown, event.detail)}
          @zoom-out=${() => this.#choose(shown, { window: widened(chosen.window, page.clock.now()) })}
          @pick=${(event: CustomEvent<Line>) => this.#pick(shown, event.detail)}
        ></lk-chart>
        <div class="foot">
          <span class="muted">Times in ${timezone}</span>
          <button @click=${() => this.#csv(shown)} title="Download these numbers as CSV">CSV</button>
          <button @click=${() => void this.#png(shown)} title="Download the chart as a picture">PNG</button>
        </div>
      </section>
      <div class="panels">
        ${kpi.target === null ? nothing : pacePanel(page, kpi, this.#asked.pace.answer)}
        ${alertsPanel(page, kpi, page.board.of(kpi.watched), alerts.answer ?? [])}
        ${aboutPanel(kpi)}
        <lk-notes .page=${page} .kpi=${kpi} .notes=${notes.answer ?? []} @changed=${() => notes.again()}></lk-notes>
      </div>
      <lk-points
        .page=${page} .kpi=${kpi} .lines=${lines} .step=${step} .compared=${compared} ?open=${chosen.table}
        @toggled=${(event: CustomEvent<boolean>) => this.#choose(shown, { table: event.detail })}
      ></lk-points>
    `;
  }

  protected override updated(): void {
    const { about } = this.#asked;
    const refused = this.#shownFeeds.some(({ error }) => error instanceof ServerError && error.status === 400);
    if (about === null || !refused || about.state.step !== null) return;
    const step = coarserThan(about.step, about.kpi);
    if (step !== null) this.coarser = { of: reachOf(about.kpi, about.state), step };
  }

  /** Long ago there may be coarser buckets only: where no step was chosen, the next one that is kept is taken. */
  #stepOf(kpi: Kpi, state: KpiState): string {
    const step = stepOf(kpi, state, this.width_px);
    if (state.step !== null || this.coarser?.of !== reachOf(kpi, state)) return step;
    return parseDuration(this.coarser.step) > parseDuration(step) ? this.coarser.step : step;
  }

  #kpi(): Kpi | undefined {
    return this.page.kpis.find((each) => each.kpi === this.route.name);
  }

  #measure(): void {
    const width_px = Math.max(300, Math.round(this.clientWidth / WIDTH_GRAIN_PX) * WIDTH_GRAIN_PX);
    if (width_px !== this.width_px) this.width_px = width_px;
  }

  #show(kpi: Kpi): Shown {
    const found = stateOf(this.route.query, kpi);
    const step = this.#stepOf(kpi, found);
    const { timezone } = timesOf(this.page, kpi);
    const ranking = this.#asked.ranked();
    const wants = wantsOf(kpi, found, step, timezone, ranking);
    const feed = (name: string, want: Want | null): Feed[] => (want === null ? [] : [this.#feeds.feed(name, this.page, want, rangeOf(found))]);
    const [whole, slices, rest] = [feed("whole", wants.whole), feed("slices", wants.slices), feed("rest", wants.rest)];
    const feeds = [...whole, ...slices, ...rest];
    this.#feeds.keep(["whole", "slices", "rest"].filter((name) => wants[name as keyof typeof wants] !== null));
    const lines = [
      ...whole.map((each): Line => ({ name: kpi.title, kind: "whole", points: withOutlook(each.points, this.#asked.looking()) })),
      ...(found.by === null || ranking === null ? [] : slices.flatMap((each) => slicesOf(each.points, found.by ?? "", ranking))),
      ...rest.map((each): Line => ({ name: restName(ranking as Ranking), kind: "rest", points: each.points })),
    ];
    return { kpi, state: found, step, timezone, lines, feeds };
  }

  #range(window: Window): readonly [number, number] {
    const now_ms = this.page.clock.now();
    return "span_ms" in window ? [now_ms - window.span_ms, now_ms] : [window.from_ms, window.to_ms];
  }

  /** The way back leads to what was shown before. */
  #choose({ kpi, state: before }: Shown, part: Partial<KpiState>): void {
    this.problem = "";
    const next = { ...before, ...part };
    // a step that was chosen for another range may be too fine, or too coarse, for this one
    const kept = part.window === undefined ? next : { ...next, step: null };
    this.page.router.set(parametersOf(kept, kpi), "table" in part);
  }

  #zoom(shown: Shown, { from_ms, to_ms }: { from_ms: number; to_ms: number }): void {
    this.#choose(shown, { window: narrowed(from_ms, to_ms, parseDuration(shown.kpi.every)) });
  }

  #pick(shown: Shown, line: Line): void {
    const { by, filters } = shown.state;
    const ranking = this.#asked.ranked();
    const value = ranking === null ? undefined : sliceNamed(line.name, ranking);
    if (by === null || value === undefined) return;
    this.#choose(shown, { by: null, filters: [...filters.filter((each) => each.dimension !== by), { dimension: by, value }] });
  }

  #csv({ kpi, state: chosen, lines }: Shown): void {
    save(new Blob([csvOf(lines, chosen.by)], { type: "text/csv" }), fileName(kpi.kpi, this.page.clock.now(), "csv"));
  }

  async #png({ kpi, state: chosen, step, timezone }: Shown): Promise<void> {
    const times = timesOf(this.page, kpi);
    const [from_ms, to_ms] = this.#range(chosen.window);
    const only = chosen.filters.map(({ dimension, value }) => ` · ${dimension}: ${value ?? "∅"}`).join("");
    const range = `${times.full(from_ms)} to ${times.full(to_ms)} (${timezone}) · step ${step}${only}`;
    try {
      save(await this.chart.picture(kpi.unit === null ? kpi.title : `${kpi.title} (${kpi.unit})`, range), fileName(kpi.kpi, this.page.clock.now(), "png"));
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
  }
}

/** How far back is asked for, of what: while it stays, so does a coarser step. */
function reachOf({ kpi }: Kpi, { window, compare }: KpiState): string {
  return JSON.stringify([kpi, window, compare]);
}

function rangeOf({ window, compare, expected, by }: KpiState): Range {
  return { ...window, ...(compare !== null && { compare }), ...(expected && by === null && { extra: ["band", "prediction"] }) };
}
