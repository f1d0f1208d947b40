/** A tile of a dashboard: a text, a KPI's card, or its chart. */

import { css, html, LitElement, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import "../overview/card.ts";
import type { KpiTile, TextTile } from "../server/types.ts";
import type { Page } from "../shell/page.ts";
import { shared } from "../shell/styles.ts";
import "./chart-tile.ts";
import { isOfKpi } from "./slides.ts";

@customElement("lk-tile")
export class Tile extends LitElement {
  static override styles = [
    shared,
    css`
      :host { min-width: 0; height: 100%; }
      .text { height: 100%; display: grid; gap: 0.7em; align-content: start; white-space: pre-line; overflow-wrap: anywhere; }
    `,
  ];

  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) tile!: KpiTile | TextTile;
  /** How deep titles stand among the page's headings. */
  @property({ attribute: false }) level = 2;

  override render(): TemplateResult {
    const { page, tile } = this;
    if (!isOfKpi(tile)) return html`<div class="panel text">${tile.text.split(/\n\s*\n/).map((paragraph) => html`<p>${paragraph}</p>`)}</div>`;
    const kpi = page.kpis.find((each) => each.kpi === tile.kpi);
    if (kpi === undefined) return html`<p class="panel muted">The KPI ${tile.kpi} is not there any more.</p>`;
    if (tile.size === "small") return html`<lk-card .page=${page} .kpi=${kpi} .heading=${tile.title} .level=${this.level}></lk-card>`;
    return html`<lk-chart-tile .page=${page} .kpi=${kpi} .tile=${tile} .level=${this.level}></lk-chart-tile>`;
  }
}
