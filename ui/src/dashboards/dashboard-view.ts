/** A dashboard of the file: rows of tiles. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Row } from "../server/types.ts";
import type { Page } from "../shell/page.ts";
import type { Route } from "../shell/router.ts";
import "../shell/stale-file.ts";
import { shared } from "../shell/styles.ts";
import "./tile.ts";

@customElement("lk-dashboard")
export class DashboardView extends LitElement {
  static override styles = [
    shared,
    css`
      :host { display: grid; gap: calc(var(--gap) * 1.25); }
      .head { display: flex; flex-wrap: wrap; gap: 8px var(--gap); align-items: baseline; }
      .head a { margin-inline-start: auto; }
      section { display: grid; gap: 10px; }
      /* as many beside each other as have room, and those share all of it */
      .tiles { display: flex; flex-wrap: wrap; gap: var(--gap); list-style: none; margin: 0; padding: 0; }
      li { display: grid; grid-template-columns: minmax(0, 1fr); min-width: 0; max-width: 100%; }
      .small { flex: 2 1 14rem; }
      .medium { flex: 3 1 17.5rem; }
      .large { flex: 5 1 30rem; }
      .wide { flex: 1 1 100%; }
    `,
  ];

  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) route!: Route;

  override render(): TemplateResult {
    const { dashboards } = this.page;
    const found = dashboards.find((each) => each.name === this.route.name);
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

  #row(row: Row, index: number): TemplateResult {
    return html`<section aria-label=${row.title ?? `Row ${index + 1}`}>
      ${row.title === null ? nothing : html`<h2>${row.title}</h2>`}
      <ul class="tiles">
        ${row.tiles.map((tile) => html`<li class=${tile.size}><lk-tile .page=${this.page} .tile=${tile} .level=${row.title === null ? 2 : 3}></lk-tile></li>`)}
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
