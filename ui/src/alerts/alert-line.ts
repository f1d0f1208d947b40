/** One series of a rule that fires or is pending: the number, since when, who looks after it, and what can be done. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Alert, Kpi } from "../server/types.ts";
import { type Page, timesOf } from "../shell/page.ts";
import { shared } from "../shell/styles.ts";
import { spanText } from "../words/spans.ts";
import { alertPath, NOTES, seriesText } from "./alert-words.ts";
import { AskEvent } from "./ask-event.ts";
import { listing } from "./styles.ts";

@customElement("lk-alert-line")
export class AlertLine extends LitElement {
  static override styles = [
    shared,
    listing,
    css`
      .value { font-size: 1.15rem; font-weight: 600; }
      .facts { display: flex; flex-wrap: wrap; gap: 2px 14px; }
      .actions { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
      .actions a { padding: 5px 0; min-height: 24px; }
      .grid { display: grid; gap: 4px; }
    `,
  ];

  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) alert!: Alert;
  @property({ attribute: false }) kpis: readonly Kpi[] = [];
  /** What is said before the series, such as which of several it is. */
  @property() lead = "";
  /** Whether it is one of several, each of which can be silenced for itself. */
  @property({ type: Boolean }) several = false;
  /** Passed in so that the line counts on with its list. */
  @property({ type: Number }) now_ms = 0;

  override render(): TemplateResult {
    const { alert, page } = this;
    const series = seriesText(alert.series);
    return html`<div class="grid">
      <div class="line">
        ${this.lead ? html`<span class="muted">${this.lead}</span>` : nothing}
        ${series ? html`<span class="strong break">${series}</span>` : nothing}
        ${alert.status === "pending" ? html`<span class="state watch">Pending</span>` : nothing}
        ${alert.value === null ? nothing : html`<span class="value number">${page.numbers.text(alert.value, alert.unit)}</span>`}
        <span class="muted">${this.#since()}</span>
      </div>
      <p class="break">${alert.summary}</p>
      ${alert.note ? html`<p class="muted">${NOTES[alert.note] ?? alert.note}</p>` : nothing}
      ${this.#people()}
      <div class="actions">${this.#links()} ${this.#buttons()}</div>
    </div>`;
  }

  #since(): string {
    const started_ms = Date.parse(this.alert.started);
    const times = timesOf(this.page, this.kpis[0]);
    const long = spanText(this.now_ms - started_ms, this.page.locales);
    return `since ${times.full(started_ms)} (${times.timezone}), for ${long}`;
  }

  #people(): TemplateResult | typeof nothing {
    const { silenced_by: silence, acknowledged_by: acknowledgement } = this.alert;
    if (silence === null && acknowledgement === null) return nothing;
    const times = timesOf(this.page, this.kpis[0]);
    const until = (text: string): string => times.full(Date.parse(text));
    return html`
      ${acknowledgement === null
        ? nothing
        : html`<p class="break"><span class="state fine">Acknowledged</span> by ${acknowledgement.author}
            until ${until(acknowledgement.until)}: ${acknowledgement.reason}</p>`}
      ${silence === null
        ? nothing
        : html`<p class="break"><span class="state plain">Silenced</span> by ${silence.author} until ${until(silence.until)}: ${silence.reason}</p>`}
    `;
  }

  #links(): TemplateResult[] {
    return this.kpis.map((kpi) => html`<a href=${alertPath(kpi, this.alert, this.page.clock.now())}>See ${kpi.title} at that time<span class="hidden-text">: ${seriesText(this.alert.series)}</span></a>`);
  }

  #buttons(): TemplateResult | typeof nothing {
    if (!this.page.scopes.includes("act") || !this.several) return nothing;
    const { rule, series, status } = this.alert;
    const of = html`<span class="hidden-text"> ${seriesText(series)}</span>`;
    return html`
      ${status === "firing" && this.alert.acknowledged_by === null
        ? html`<button @click=${() => this.dispatchEvent(new AskEvent("acknowledgements", { rule, series }))}>Acknowledge${of}</button>`
        : nothing}
      ${this.alert.silenced_by === null
        ? html`<button @click=${() => this.dispatchEvent(new AskEvent("silences", { rule, series }))}>Silence${of}</button>`
        : nothing}
    `;
  }
}
