/** A rule of which something fires or is pending: the worst series, how many there are, and on demand all of them. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { Alert } from "../server/types.ts";
import { Ticking } from "../shell/follow.ts";
import type { Page } from "../shell/page.ts";
import { shared } from "../shell/styles.ts";
import "./alert-line.ts";
import { countText, safeLink, seriesText, severityKind } from "./alert-words.ts";
import { AskEvent } from "./ask-event.ts";
import { type Group, worseUp } from "./groups.ts";
import { listing } from "./styles.ts";

const STEP = 100;

@customElement("lk-alert-group")
export class AlertGroup extends LitElement {
  static override styles = [
    shared,
    listing,
    css`
      .panel { display: grid; gap: 10px; border-inline-start: 5px solid var(--edge); }
      .panel.alert { border-inline-start-color: var(--alert); }
      .panel.watch { border-inline-start-color: var(--watch); }
      .panel.quiet { border-inline-start-color: var(--line); }
      li { padding: 12px 0; border-top: 1px solid var(--line); }
      .severity { text-transform: capitalize; }
      .runbook { display: inline-block; padding: 5px 0; }
    `,
  ];

  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) group!: Group;
  @state() private shown = 0;

  constructor() {
    super();
    new Ticking(this, 5_000);
  }

  override render(): TemplateResult {
    const { group, page } = this;
    const [worst] = group.alerts;
    if (worst === undefined) return html``;
    const several = group.alerts.length > 1;
    const kind = group.unheeded > 0 ? severityKind(group.severity) : "quiet";
    const runbook = safeLink(worst.runbook);
    return html`<article class="panel ${kind}" aria-labelledby="title">
      <div class="line">
        <span class="state ${severityKind(group.severity)} severity">${group.severity ?? "No rule any more"}</span>
        <h2 id="title" class="break">${group.title}</h2>
        <span class="muted">${countText(group.firing, group.pending, seriesText(worst.series) !== "")}</span>
        ${runbook === null
          ? nothing
          : html`<a class="runbook" href=${runbook} target="_blank" rel="noopener noreferrer">What to do<span class="hidden-text"> (runbook, in a new tab)</span></a>`}
        <div class="end">${this.#buttons(worst, several)}</div>
      </div>
      <lk-alert-line .page=${page} .alert=${worst} .kpis=${group.kpis} .now_ms=${page.clock.now()} .several=${several}
        .lead=${several ? `${worseUp(group.kpis) === 0 ? "Longest" : "Worst"} of ${group.alerts.length}:` : ""}></lk-alert-line>
      ${several ? this.#others() : nothing}
    </article>`;
  }

  #others(): TemplateResult {
    const others = this.group.alerts.slice(1);
    const now_ms = this.page.clock.now();
    const left = others.length - this.shown;
    return html`
      <ul id="others" ?hidden=${this.shown === 0} aria-label="Further series">
        ${repeat(
          others.slice(0, this.shown),
          (alert) => alert.key ?? JSON.stringify(alert.series),
          (alert) => html`<li><lk-alert-line .page=${this.page} .alert=${alert} .kpis=${this.group.kpis} .now_ms=${now_ms} several></lk-alert-line></li>`,
        )}
      </ul>
      <div class="line">
        <button aria-expanded=${this.shown > 0} aria-controls="others" @click=${() => (this.shown = this.shown > 0 ? 0 : STEP)}>
          ${this.shown > 0 ? "Show only the first" : `Show ${others.length === 1 ? "the other" : `all ${this.group.alerts.length}`}`}
        </button>
        ${this.shown > 0 && left > 0 ? html`<button @click=${() => (this.shown += STEP)}>Show ${Math.min(STEP, left)} more of ${left}</button>` : nothing}
      </div>
    `;
  }

  #buttons(worst: Alert, several: boolean): TemplateResult | typeof nothing {
    if (!this.page.scopes.includes("act") || this.group.kpis.length === 0) return nothing;
    const about = { rule: this.group.rule, series: several ? {} : worst.series };
    const whole = several ? " all" : "";
    const of = html`<span class="hidden-text">: ${this.group.title}</span>`;
    return html`
      ${this.group.unheeded > 0
        ? html`<button @click=${() => this.dispatchEvent(new AskEvent("acknowledgements", about))}>Acknowledge${whole}${of}</button>`
        : nothing}
      <button @click=${() => this.dispatchEvent(new AskEvent("silences", about))}>Silence${whole}${of}</button>
    `;
  }
}
