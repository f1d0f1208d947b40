/** Tries a rule on history: how often people would have been told, when, and how long it would have fired. */

import { html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Page, timesOf } from "../shell/page.ts";
import "../shell/range-choice.ts";
import type { RangeChosen } from "../shell/range-choice.ts";
import { chosen } from "../shell/ranges.ts";
import type { Route } from "../shell/router.ts";
import { shared } from "../shell/styles.ts";
import { spanText } from "../words/spans.ts";
import { alertPath, seriesText } from "./alert-words.ts";
import { listing } from "./styles.ts";
import type { TriedAlert, TriedRule } from "./types.ts";

const FEW = 100;

@customElement("lk-try-rule")
export class TryRule extends LitElement {
  static override styles = [shared, listing];

  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) route!: Route;
  @property({ attribute: false }) rules: readonly string[] = [];
  @state() private tried: TriedRule | null = null;
  @state() private problem = "";
  @state() private busy = false;

  override render(): TemplateResult {
    const rule = this.#rule();
    return html`<div class="stack">
      <p class="muted">Judges a rule of the file on the numbers that are kept, as it would have been judged then. It changes nothing and tells nobody.
        To try a changed file, use <code>livekpi backtest</code>.</p>
      ${this.rules.length === 0
        ? html`<p>There is no alert rule to try yet.</p>`
        : !this.page.scopes.includes("act")
          ? html`<p>To try one keeps the server busy for a while, so it needs a token of the scope act.</p>`
          : html`<div class="fields">
            <label>Rule
              <select @change=${(event: Event) => this.page.router.set({ rule: (event.target as HTMLSelectElement).value })}>
                ${this.rules.map((each) => html`<option value=${each} ?selected=${each === rule}>${each}</option>`)}
              </select>
            </label>
            <lk-range .page=${this.page} .chosen=${chosen(this.route.query, "-1d")} @range-chosen=${this.#ranged}></lk-range>
            <button class="main" ?disabled=${this.busy} @click=${this.#try}>${this.busy ? "Trying…" : "Try it"}</button>
          </div>`}
      <p class="error" role="alert">${this.problem}</p>
      <div role="status">${this.tried === null ? nothing : this.#found(this.tried)}</div>
    </div>`;
  }

  #rule(): string {
    const named = this.route.query.get("rule") ?? "";
    return this.rules.includes(named) ? named : (this.rules[0] ?? "");
  }

  #found(tried: TriedRule): TemplateResult {
    if (tried.problem !== null) return html`<section class="panel"><h2>${tried.rule}</h2><p>It can't be tried: ${tried.problem}</p></section>`;
    const times = timesOf(this.page);
    const span = (seconds: number): string => spanText(seconds * 1_000, this.page.locales);
    return html`<section class="panel tight" aria-label="What was found">
      <h2 class="break">${tried.rule}: ${tried.pages === 1 ? "1 message" : `${tried.pages} messages`}, ${tried.alerts.length === 1 ? "1 alert" : `${tried.alerts.length} alerts`}</h2>
      <p>Judged from ${times.full(Date.parse(tried.from))} to ${times.full(Date.parse(tried.to))} (${times.timezone}).
        It fired for ${percent(tried.fired_share, this.page.locales)} of that time.
        ${tried.longest_seconds === null ? nothing : html`The longest alert took ${span(tried.longest_seconds)}, half of them at most ${span(tried.median_seconds ?? 0)}.`}</p>
      ${tried.warnings.map((warning) => html`<p><span class="state watch">Mind</span> ${warning}</p>`)}
      ${tried.alerts.length === 0 ? nothing : this.#alerts(tried.rule, tried.alerts, tried.to)}
    </section>`;
  }

  #alerts(rule: string, alerts: readonly TriedAlert[], to: string): TemplateResult {
    const times = timesOf(this.page);
    const [kpi] = this.page.kpis.filter((each) => each.watched.includes(rule));
    return html`
      <div class="scroll" tabindex="0" role="region" aria-label="Alerts that would have fired"><table>
        <thead><tr><th scope="col">Began</th><th scope="col">Took</th><th scope="col">Series</th><th scope="col" class="number">Value</th><th scope="col">Known after</th></tr></thead>
        <tbody>${alerts.slice(0, FEW).map((alert) => {
          const [began, ended, known] = [Date.parse(alert.started), Date.parse(alert.ended ?? to), Date.parse(alert.known)];
          const start = times.full(began);
          return html`<tr>
            <td>${kpi === undefined ? start : html`<a href=${alertPath(kpi, alert, this.page.clock.now())}>${start}</a>`}</td>
            <td>${spanText(ended - began, this.page.locales)}${alert.ended === null ? ", and went on" : ""}</td>
            <td class="break">${seriesText(alert.series) || "–"}${alert.silenced ? " (silenced)" : ""}</td>
            <td class="number">${this.page.numbers.text(alert.value)}</td>
            <td>${spanText(known - began, this.page.locales)}</td>
          </tr>`;
        })}</tbody>
      </table></div>
      ${alerts.length > FEW ? html`<p class="muted">The first ${FEW} of ${alerts.length}.</p>` : nothing}
    `;
  }

  async #try(): Promise<void> {
    const { from, to } = chosen(this.route.query, "-1d");
    this.busy = true;
    try {
      const asked = { rules: [this.#rule()], from, ...(to !== undefined && { to }) };
      const found = await this.page.api.change<{ rules: readonly TriedRule[] }>("POST", "/v1/backtest", asked);
      this.tried = found.rules[0] ?? null;
      this.problem = "";
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    } finally {
      this.busy = false;
    }
  }

  #ranged(event: RangeChosen): void {
    this.page.router.set({ from: event.from, to: event.to });
  }
}

function percent(share: number, locales: readonly string[]): string {
  return new Intl.NumberFormat([...locales], { style: "percent", maximumFractionDigits: 1 }).format(share);
}
