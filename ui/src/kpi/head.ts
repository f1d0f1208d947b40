/** The head of a KPI's view: what it is, and how it stands at present. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { Glance } from "../overview/glance.ts";
import { changeLine } from "../overview/parts.ts";
import type { Kpi } from "../server/types.ts";
import type { Page } from "../shell/page.ts";
import { shared } from "../shell/styles.ts";

@customElement("lk-kpi-head")
export class KpiHead extends LitElement {
  static override styles = [
    shared,
    css`
      :host { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 4px 24px; align-items: start; }
      .title { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 12px; overflow-wrap: anywhere; }
      .now { text-align: end; min-height: 4.6rem; }
      .value { font-size: 2.2rem; font-weight: 650; line-height: 1.1; min-height: 2.4rem; }
      .change.better { color: var(--fine); }
      .change.worse { color: var(--alert); }
      .small { font-size: 0.9rem; }
      @media (max-width: 700px) {
        :host { grid-template-columns: minmax(0, 1fr); }
        .now { text-align: start; }
      }
    `,
  ];

  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) kpi!: Kpi;
  readonly #glance = new Glance(this, () => this.page);

  override render(): TemplateResult {
    const { kpi } = this;
    const seen = this.#glance.look(this.page, kpi);
    return html`
      <div>
        <div class="title"><h1>${kpi.title}</h1><span class="state ${seen.standing.state}" title=${seen.standing.why || nothing}>${seen.standing.word}</span><span class="small">${seen.standing.state === "none" ? nothing : seen.standing.why}</span></div>
        ${kpi.description === null ? nothing : html`<p>${kpi.description}</p>`}
      </div>
      <div class="now">
        <p class="value" title=${seen.exact === seen.value ? nothing : seen.exact}>${seen.value}</p>
        <p class="small muted">${seen.when}</p>
        <p class="small">${seen.reading.shown === null ? nothing : changeLine(seen.change)}</p>
      </div>
    `;
  }
}
