/** A KPI to be read from across a room. */

import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import "../chart/sparkline.ts";
import { Glance } from "../overview/glance.ts";
import { paceWords } from "../overview/pace-words.ts";
import { changeLine, paceBar, stateWord } from "../overview/parts.ts";
import type { Kpi, Pace } from "../server/types.ts";
import { type Page, timesOf } from "../shell/page.ts";
import { shared } from "../shell/styles.ts";

@customElement("lk-tv-tile")
export class TvTile extends LitElement {
  static override styles = [
    shared,
    css`
      :host { display: block; min-width: 0; min-height: 0; container-type: size; }
      article.panel { height: 100%; display: flex; flex-direction: column; padding: 4cqmin 5cqmin; overflow: hidden; }
      article.alert { border-color: var(--alert); background: var(--alert-ground); box-shadow: inset 1.5cqmin 0 var(--alert); }
      article.watch { border-color: var(--watch); box-shadow: inset 1.5cqmin 0 var(--watch); }
      header { display: flex; align-items: center; justify-content: space-between; gap: 3cqmin; }
      h2 { font-size: clamp(1rem, 8.5cqmin, 5rem); line-height: 1.2; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
      .state { font-size: clamp(0.85rem, 6cqmin, 3rem); }
      .state.none, .state.fine { background: none; font-weight: 500; padding: 0; }
      .state.none { display: none; }
      .value { font-size: min(30cqh, 15cqw); font-weight: 700; line-height: 1.15; letter-spacing: -0.03em; white-space: nowrap; }
      .line { font-size: clamp(0.85rem, 6cqmin, 3rem); line-height: 1.4; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; min-height: 1.4em; }
      .change { font-weight: 650; }
      .better { color: var(--fine); }
      .worse { color: var(--alert); }
      lk-sparkline { flex: 1 1 0; min-height: 0; height: auto; margin: 3cqmin 0 2cqmin; }
      article.alert lk-sparkline { --spark: var(--alert); }
      .bar { display: block; width: 100%; height: 3cqmin; flex: none; }
      .bar .whole { fill: var(--raised); }
      .bar .done { fill: var(--accent); }
      .bar .gone { fill: var(--text); }
    `,
  ];

  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) kpi!: Kpi;
  @property({ attribute: false }) heading = "";

  readonly #glance = new Glance(this, () => this.page);

  protected override shouldUpdate(changed: PropertyValues): boolean {
    return changed.size > 0 || !this.hasUpdated || this.#glance.seen;
  }

  override render(): TemplateResult {
    const seen = this.#glance.look(this.page, this.kpi);
    const { state, why } = seen.standing;
    return html`<article class="panel ${state}" aria-labelledby="title">
      <header><h2 id="title">${this.heading}</h2>${stateWord(seen.standing)}</header>
      <p class="value">${seen.value}</p>
      <p class="line muted">${seen.feed.error?.message ?? seen.when}</p>
      <p class="line">${state === "alert" || state === "watch" ? why : changeLine(seen.change ?? undefined)}</p>
      <lk-sparkline .points=${seen.line} .span_ms=${seen.span_ms} .now=${seen.until_ms} .label=${seen.said}></lk-sparkline>
      ${this.#paced(seen.pace)}
    </article>`;
  }

  #paced(pace: Pace | null): TemplateResult | typeof nothing {
    if (pace === null) return nothing;
    const { page, kpi } = this;
    const words = paceWords(pace, kpi, page.numbers, timesOf(page, kpi), page.clock.now());
    return html`${paceBar(words)}<p class="line muted">${words.brief}</p>`;
  }
}
