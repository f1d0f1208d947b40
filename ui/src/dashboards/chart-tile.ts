/** A KPI's number with its chart, which may be split by a dimension. */

import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import "../chart/chart.ts";
import type { Line } from "../chart/layers.ts";
import { legend, legendStyles } from "../chart/legend.ts";
import { MOST_LINES } from "../chart/dashes.ts";
import { palette } from "../chart/palette.ts";
import { type Ranking, rank, sliceNamed } from "../kpi/split.ts";
import { Glance } from "../overview/glance.ts";
import { changeLine, stateWord } from "../overview/parts.ts";
import type { Feed } from "../server/feed.ts";
import type { Kpi, KpiTile } from "../server/types.ts";
import { Feeds } from "../shell/follow.ts";
import type { Page } from "../shell/page.ts";
import { kpiPath } from "../shell/router.ts";
import { shared } from "../shell/styles.ts";
import { type Frame, frameOf, linesOf, wantsOf } from "./lines.ts";

/** The greatest slices may be others after a while. */
const RANK_MS = 300_000;
/** Where there was none yet there is one as soon as events come. */
const FIRST_RANK_MS = 5_000;

@customElement("lk-chart-tile")
export class ChartTile extends LitElement {
  static override styles = [
    shared,
    palette,
    legendStyles,
    css`
      :host { height: 100%; }
      /* contained: a number that changes moves nothing outside */
      article.panel { height: 100%; display: flex; flex-direction: column; gap: 4px; padding: 12px 16px 8px; contain: layout; }
      article.alert { border-color: var(--alert); box-shadow: inset 4px 0 var(--alert); }
      article.watch { border-color: var(--watch); box-shadow: inset 4px 0 var(--watch); }
      header { display: flex; align-items: start; justify-content: space-between; gap: 8px; }
      .title { font-size: 1rem; font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
      .title a { color: var(--text); text-decoration: none; }
      .title a:hover { text-decoration: underline; text-decoration-color: var(--accent); }
      /* the number, and beside it what it is of and how it has changed: two lines, known or not */
      .now { display: grid; grid-template-columns: auto minmax(0, 1fr); align-items: center; column-gap: 12px; min-height: 2.3rem; }
      .now .beside { font-size: 0.8rem; line-height: 1.4; }
      .beside > * { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
      .value { font-size: 1.7rem; font-weight: 650; line-height: 1.3; letter-spacing: -0.02em; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
      .change { font-weight: 600; }
      .better { color: var(--fine); }
      .worse { color: var(--alert); }
      lk-chart { flex: 1; min-height: 6rem; }
      .legend { min-height: 30px; }
      .legend .value { display: none; }
      /* of a frame: as high as it is */
      :host([fill]) article.panel { border: 0; border-radius: 0; padding-bottom: 1.6rem; }
      :host([fill]) lk-chart { min-height: 4rem; }
      :host([fill]) .legend { flex-wrap: nowrap; overflow-x: auto; white-space: nowrap; }
      .note { min-height: 1.4em; font-size: 0.85rem; }
    `,
  ];

  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) kpi!: Kpi;
  @property({ attribute: false }) tile!: KpiTile;
  /** Where the title leads; `_blank` out of a frame. */
  @property({ attribute: false }) target: string | null = null;
  /** How deep its title stands among the page's headings. */
  @property({ attribute: false }) level = 2;
  @state() private ranking: Ranking | null = null;
  @state() private problem = "";

  readonly #glance = new Glance(this, () => this.page);
  readonly #feeds = new Feeds(this);
  #ranked: readonly [key: string, time_ms: number] = ["", 0];

  protected override shouldUpdate(changed: PropertyValues): boolean {
    return changed.size > 0 || !this.hasUpdated || this.#glance.seen;
  }

  override render(): TemplateResult {
    const { page, kpi, tile } = this;
    const seen = this.#glance.look(page, kpi);
    const frame = frameOf(tile, kpi);
    const feeds = this.#feedsOf(frame);
    const title = tile.title ?? kpi.title;
    const lines = linesOf(tile, title, feeds, this.ranking);
    const known = Object.values(feeds);
    const problem = seen.feed.error?.message ?? known.find((feed) => feed.error !== null)?.error?.message ?? this.problem;
    return html`<article class="panel ${seen.standing.state}" aria-labelledby="title">
      <header>
        <div class="title" id="title" role="heading" aria-level=${this.level}>
          <a href=${kpiPath(kpi.kpi, tile.by === null ? {} : { by: tile.by })} target=${this.target ?? nothing}>${title}</a>
        </div>
        ${stateWord(seen.standing)}
      </header>
      <p class="now">
        <span class="value" title=${seen.exact === seen.value ? nothing : seen.exact}>${seen.value}</span>
        <span class="beside"><span class="muted">${seen.when}</span><span>${changeLine(seen.change ?? undefined)}</span></span>
      </p>
      <lk-chart
        compact
        .page=${page}
        .kpi=${kpi}
        .lines=${lines}
        .step_ms=${frame.step_ms}
        .window=${{ span_ms: frame.span_ms }}
        .loading=${(tile.by !== null && this.ranking === null) || known.some((feed) => !feed.ready)}
      ></lk-chart>
      ${tile.by === null ? nothing : legend(lines, [], [], (line) => this.#pick(line))}
      ${problem ? html`<p class="error note">${problem}</p>` : nothing}
    </article>`;
  }

  #feedsOf(frame: Frame): Readonly<Record<string, Feed>> {
    const { page, tile } = this;
    if (tile.by !== null) this.#rank(tile.by, frame);
    const wants = wantsOf(tile, frame, this.ranking);
    this.#feeds.keep(Object.keys(wants));
    const range = { span_ms: frame.span_ms };
    return Object.fromEntries(Object.entries(wants).map(([name, want]) => [name, this.#feeds.feed(name, page, want, range)]));
  }

  /** Finds out which slices are the greatest, now and then while the tile is on screen. */
  #rank(by: string, frame: Frame): void {
    const key = JSON.stringify([this.tile.kpi, by, frame.span_ms, this.tile.top]);
    const now_ms = this.page.clock.now();
    const [before, time_ms] = this.#ranked;
    if (!this.#glance.seen || (before === key && now_ms - time_ms < (this.ranking?.top.length === 0 ? FIRST_RANK_MS : RANK_MS))) return;
    this.#ranked = [key, now_ms];
    void this.#askRanking(by, frame, key);
  }

  async #askRanking(by: string, frame: Frame, key: string): Promise<void> {
    const { page, tile } = this;
    try {
      const from = new Date(page.clock.now() - frame.span_ms).toISOString();
      const answer = await page.api.points({ kpi: tile.kpi, by: [by], step: "all" }, { from });
      if (this.#ranked[0] !== key) return;
      const found = rank(answer.points, by, Math.min(tile.top, MOST_LINES - 1));
      if (JSON.stringify(found) !== JSON.stringify(this.ranking)) this.ranking = found;
      this.problem = "";
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
  }

  #pick(line: Line): void {
    const { by } = this.tile;
    const value = this.ranking === null ? undefined : sliceNamed(line.name, this.ranking);
    if (by === null || value === undefined) return;
    const path = kpiPath(this.kpi.kpi, { only: JSON.stringify({ [by]: value }) });
    if (this.target === null) this.page.router.go(path);
    else window.open(path, this.target, "noopener");
  }
}
