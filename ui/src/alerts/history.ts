/** What fired, and how each receiver took the messages about it. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { Ticking } from "../shell/follow.ts";
import { type Page, timesOf } from "../shell/page.ts";
import { Question } from "../shell/question.ts";
import "../shell/range-choice.ts";
import type { RangeChosen } from "../shell/range-choice.ts";
import { chosen } from "../shell/ranges.ts";
import type { Route } from "../shell/router.ts";
import { shared } from "../shell/styles.ts";
import { spanText } from "../words/spans.ts";
import { alertPath, deliveries, DELIVERY, NOTES, seriesText, severityKind } from "./alert-words.ts";
import { listing } from "./styles.ts";
import type { Delivered, History, Message, PastAlert } from "./types.ts";

const EVERY_MS = 15_000;
const FEW = 100;
const MOST = 1_000;

@customElement("lk-alert-history")
export class AlertHistory extends LitElement {
  static override styles = [
    shared,
    listing,
    css`
      li { padding: 12px 0; border-top: 1px solid var(--line); display: grid; gap: 4px; }
      li:first-child { border-top: 0; }
      .severity { text-transform: capitalize; }
      .told { display: flex; flex-wrap: wrap; gap: 2px 12px; }
    `,
  ];

  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) route!: Route;
  /** The rules that there are. */
  @property({ attribute: false }) rules: readonly string[] = [];
  #history = new Question<History>(this, {
    page: () => this.page,
    about: () => this.#asked(),
    ask: (signal) => this.page.api.get("/v1/alerts/history", this.#asked(), signal),
    every_ms: EVERY_MS,
  });

  constructor() {
    super();
    new Ticking(this, EVERY_MS);
  }

  override render(): TemplateResult {
    const { answer, error } = this.#history;
    const rule = this.route.query.get("rule") ?? "";
    const rules = rule === "" || this.rules.includes(rule) ? this.rules : [...this.rules, rule];
    return html`<div class="stack">
      <div class="fields">
        <lk-range .page=${this.page} .chosen=${chosen(this.route.query, "-1d")} @range-chosen=${this.#ranged}></lk-range>
        <label>Rule
          <select @change=${(event: Event) => this.page.router.set({ rule: (event.target as HTMLSelectElement).value, most: null })}>
            <option value="" ?selected=${rule === ""}>All rules</option>
            ${rules.map((each) => html`<option value=${each} ?selected=${each === rule}>${each}</option>`)}
          </select>
        </label>
      </div>
      ${error === null ? nothing : html`<p class="error" role="alert">${error.message}</p>`}
      <section class="panel" aria-label="What fired" aria-busy=${this.#history.busy && answer === null}>
        ${answer === null ? html`<p class="muted">Loading…</p>` : this.#list(answer)}
      </section>
    </div>`;
  }

  #list({ alerts, messages }: History): TemplateResult {
    if (alerts.length === 0) return html`<p class="muted">Nothing fired in this range.</p>`;
    const by = new Map(messages.map((message) => [message.number, message]));
    const full = alerts.length >= FEW && this.#asked()["limit"] === FEW;
    return html`
      <p class="muted">${alerts.length === 1 ? "One alert" : `${alerts.length}${full ? " or more" : ""} alerts`}, the last to begin first.
        Times are in ${timesOf(this.page).timezone}.</p>
      <ul>${alerts.map((alert) => this.#alert(alert, alert.messages.flatMap((number) => by.get(number) ?? [])))}</ul>
      ${full ? html`<button @click=${() => this.page.router.set({ most: String(MOST) })}>Show up to ${MOST}</button>` : nothing}
    `;
  }

  #alert(alert: PastAlert, messages: readonly Message[]): TemplateResult {
    const { page } = this;
    const kpis = page.kpis.filter((kpi) => kpi.watched.includes(alert.rule));
    const series = seriesText(alert.series);
    return html`<li>
      <div class="line">
        <span class="state ${severityKind(alert.severity)} severity">${alert.severity ?? "No rule any more"}</span>
        <span class="strong break">${alert.title}${series && `, ${series}`}</span>
        ${alert.ended === null ? html`<span class="state alert">Fires</span>` : nothing}
        <span class="muted">${this.#when(alert)}</span>
      </div>
      <p class="break">${alert.summary}</p>
      ${alert.note ? html`<p class="muted">${NOTES[alert.note] ?? alert.note}</p>` : nothing}
      <div class="line">${kpis.map((kpi) => html`<a href=${alertPath(kpi, alert, this.page.clock.now())}>${kpi.title} then<span class="hidden-text">: ${series}</span></a>`)}</div>
      ${messages.length === 0
        ? html`<p class="muted">No message was sent about it.</p>`
        : html`<details><summary>${deliveries(messages)}</summary><ul>${messages.map((message) => this.#message(message))}</ul></details>`}
    </li>`;
  }

  #when(alert: PastAlert): string {
    const times = timesOf(this.page);
    const started_ms = Date.parse(alert.started);
    const ended_ms = alert.ended === null ? this.page.clock.now() : Date.parse(alert.ended);
    const long = spanText(ended_ms - started_ms, this.page.locales);
    return alert.ended === null ? `since ${times.full(started_ms)}, for ${long}` : `${times.full(started_ms)}, for ${long}`;
  }

  #message(message: Message): TemplateResult {
    const what = [message.firing > 0 && `${message.firing} firing`, message.resolved > 0 && `${message.resolved} over`].filter(Boolean).join(", ");
    return html`<li>
      <span>${timesOf(this.page).full(Date.parse(message.at))}: ${what}</span>
      ${message.receivers.length === 0 ? html`<span class="muted">to nobody</span>` : message.receivers.map((each) => this.#delivered(each))}
    </li>`;
  }

  #delivered(each: Delivered): TemplateResult {
    const kind = each.state === "sent" ? "fine" : each.state === "waiting" ? "watch" : "alert";
    const at = timesOf(this.page).full(Date.parse(each.at));
    const when = each.state === "waiting" ? `tried next ${at}` : at;
    return html`<span class="told">
      <span class="break">${each.receiver}</span> <span class="state ${kind}">${DELIVERY[each.state] ?? each.state}</span>
      <span class="muted break">${when}${each.attempts > 1 ? `, ${each.attempts} attempts` : ""}${each.reason ? `: ${each.reason}` : ""}</span>
    </span>`;
  }

  #asked(): Readonly<Record<string, string | number | undefined>> {
    const { from, to } = chosen(this.route.query, "-1d");
    return { from, to, rule: this.route.query.get("rule") ?? undefined, limit: this.route.query.get("most") === String(MOST) ? MOST : FEW };
  }

  #ranged(event: RangeChosen): void {
    this.page.router.set({ from: event.from, to: event.to });
  }
}
