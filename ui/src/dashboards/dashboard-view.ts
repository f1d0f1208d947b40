/** A dashboard of the file: rows of tiles. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Dashboard, Row } from "../server/types.ts";
import type { Page } from "../shell/page.ts";
import type { Route } from "../shell/router.ts";
import "../shell/stale-file.ts";
import { Resizing, remPx } from "../shell/resizing.ts";
import { shared } from "../shell/styles.ts";
import { fit, weightOf } from "./shares.ts";
import { isOfKpi } from "./slides.ts";
import "./tile.ts";

/** Of the width, what is beside the tiles, in rem. */
const SIDES_REM = 2;

@customElement("lk-dashboard")
export class DashboardView extends LitElement {
  static override styles = [
    shared,
    css`
      :host { display: flex; flex-direction: column; gap: calc(var(--gap) * 1.25); }
      .head { display: flex; flex-wrap: wrap; gap: 8px var(--gap); align-items: baseline; }
      .head a { margin-inline-start: auto; }
      /* what height is left is shared by weight */
      section { display: flex; flex-direction: column; gap: 10px; flex: var(--weight) 0 auto; }
      section.texts { flex: none; }
      /* as many beside each other as have room, and those share all of it */
      .tiles { flex: 1; display: flex; flex-wrap: wrap; gap: var(--gap); list-style: none; margin: 0; padding: 0; }
      li { display: grid; grid-template-columns: minmax(0, 1fr); min-width: 0; max-width: 100%; }
      .small { flex: 2 1 14rem; --least: 12.5rem; --usual: 16rem; --most: 32rem; }
      .medium { flex: 3 1 17.5rem; --least: 12.5rem; --usual: 17rem; --most: 32rem; }
      .large { flex: 5 1 30rem; --least: 17rem; --usual: 23rem; --most: 50rem; }
      .wide { flex: 1 1 100%; --least: 17rem; --usual: 23rem; --most: 50rem; }
      li.kpi { min-height: var(--usual); max-height: var(--most); }
      /* a little less than usual, where that shows all rows at once */
      :host([fitting]) li.kpi { min-height: var(--least); }
    `,
  ];

  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) route!: Route;

  constructor() {
    super();
    new Resizing(this);
  }

  override render(): TemplateResult {
    const found = this.#found;
    if (found === undefined) return this.#missing();
    return html`
      <div class="head">
        <h1>${found.title}</h1>
        <a href="/tv?dashboard=${encodeURIComponent(found.name)}">Show on a wall</a>
      </div>
      <lk-stale-file .page=${this.page} short></lk-stale-file>
      ${found.rows.map((row, index) => this.#row(row, index))}
    `;
  }

  protected override updated(): void {
    const rows = this.#found?.rows ?? [];
    const rem = remPx();
    const width_rem = innerWidth / rem - SIDES_REM;
    this.toggleAttribute("fitting", fit(rows, width_rem, innerHeight / rem));
    this.renderRoot.querySelectorAll("section").forEach((section, index) => {
      const row = rows[index];
      section.style.setProperty("--weight", `${row === undefined ? 0 : weightOf(row, width_rem)}`);
    });
  }

  get #found(): Dashboard | undefined {
    return this.page.dashboards.find((each) => each.name === this.route.name);
  }

  #row(row: Row, index: number): TemplateResult {
    return html`<section class=${row.tiles.some(isOfKpi) ? "" : "texts"} aria-label=${row.title ?? `Row ${index + 1}`}>
      ${row.title === null ? nothing : html`<h2>${row.title}</h2>`}
      <ul class="tiles">
        ${row.tiles.map((tile) => html`<li class="${tile.size} ${isOfKpi(tile) ? "kpi" : ""}"><lk-tile .page=${this.page} .tile=${tile} .level=${row.title === null ? 2 : 3}></lk-tile></li>`)}
      </ul>
    </section>`;
  }

  #missing(): TemplateResult {
    const { dashboards } = this.page;
    return html`<h1>There is no dashboard “${this.route.name}”</h1>
      ${dashboards.length === 0
        ? html`<p>The file has none yet: write some under <code>dashboards:</code>, and they are shown here.</p>`
        : html`<p>There are ${dashboards.map((each, index) => html`${index > 0 ? ", " : ""}<a href="/dashboard/${encodeURIComponent(each.name)}">${each.title}</a>`)}.</p>`}
      <p><a href="/">To the overview</a></p>`;
  }
}
