/** The alerts: what fires now, who has said what of it, what fired before, and what a rule would have done. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { Follow } from "../shell/follow.ts";
import type { Page } from "../shell/page.ts";
import { Question } from "../shell/question.ts";
import type { Route } from "../shell/router.ts";
import { shared } from "../shell/styles.ts";
import "./alert-group.ts";
import { sentence } from "./alert-words.ts";
import { AskEvent } from "./ask-event.ts";
import { groupAlerts } from "./groups.ts";
import "./history.ts";
import "./said.ts";
import type { Said } from "./said.ts";
import "./say-dialog.ts";
import type { SayDialog } from "./say-dialog.ts";
import { listing } from "./styles.ts";
import "./try-rule.ts";

type Part = "now" | "said" | "history" | "try";
const PARTS: readonly (readonly [Part, string])[] = [
  ["now", "Now"],
  ["said", "Silences"],
  ["history", "History"],
  ["try", "Try a rule"],
];
/** What is pending, and who has silenced what, the stream does not tell. */
const EVERY_MS = 10_000;

@customElement("lk-alerts")
export class AlertsView extends LitElement {
  static override styles = [
    shared,
    listing,
    css`
      :host { max-width: 110rem; margin-inline: auto; }
      .groups { display: grid; gap: var(--gap); grid-template-columns: repeat(auto-fill, minmax(min(44rem, 100%), 1fr)); align-items: start; }
      nav { display: flex; flex-wrap: wrap; gap: 4px; border-bottom: 1px solid var(--line); }
      nav a { padding: 8px 12px; text-decoration: none; color: var(--text); border-radius: 6px 6px 0 0; }
      nav a[aria-current] { color: var(--accent); font-weight: 600; box-shadow: inset 0 -3px var(--accent); }
      .calm { display: grid; gap: 8px; justify-items: start; }
    `,
  ];

  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) route!: Route;
  @query("lk-say-dialog") private dialog!: SayDialog;
  @query("lk-said") private said!: Said | null;
  #asked = new Question<null>(this, {
    page: () => this.page,
    about: () => null,
    ask: async () => {
      await this.page.board.load();
      return null;
    },
    every_ms: EVERY_MS,
  });

  constructor() {
    super();
    new Follow(this, () => this.page.board, "changed");
    this.addEventListener(AskEvent.NAME, (event) => void this.dialog.open((event as AskEvent).kind, (event as AskEvent).about));
  }

  override render(): TemplateResult {
    const part = PARTS.find(([each]) => each === this.route.query.get("part"))?.[0] ?? "now";
    const link = (each: Part): string => (each === "now" ? "/alerts" : `/alerts?part=${each}`);
    return html`<div class="stack">
      <h1>Alerts</h1>
      <nav aria-label="Parts of the alerts">
        ${PARTS.map(([each, title]) => html`<a href=${link(each)} aria-current=${each === part ? "page" : nothing}>${title}</a>`)}
      </nav>
      ${this.#part(part)}
      <lk-say-dialog .page=${this.page} @said=${this.#changed}></lk-say-dialog>
    </div>`;
  }

  #part(part: Part): TemplateResult {
    const rules = [...new Set(this.page.kpis.flatMap((kpi) => kpi.watched))].sort();
    switch (part) {
      case "said":
        return html`<lk-said .page=${this.page} @said=${() => void this.page.board.load()}></lk-said>`;
      case "history":
        return html`<lk-alert-history .page=${this.page} .route=${this.route} .rules=${rules}></lk-alert-history>`;
      case "try":
        return html`<lk-try-rule .page=${this.page} .route=${this.route} .rules=${rules}></lk-try-rule>`;
      default:
        return this.#now(rules);
    }
  }

  #now(rules: readonly string[]): TemplateResult {
    const groups = groupAlerts(this.page.board.alerts, this.page.kpis);
    if (groups.length === 0 && this.#asked.answer === null && this.#asked.busy) return html`<p class="muted" role="status">Loading…</p>`;
    return html`
      <p role="status">${sentence(groups)}</p>
      ${groups.length === 0 ? this.#calm(rules) : nothing}
      <div class="groups">
        ${repeat(
          groups,
          (group) => group.rule,
          (group) => html`<lk-alert-group .page=${this.page} .group=${group}></lk-alert-group>`,
        )}
      </div>
    `;
  }

  #calm(rules: readonly string[]): TemplateResult {
    if (rules.length > 0) {
      return html`<div class="panel calm">
        <p><span class="state fine">Fine</span> ${rules.length === 1 ? "One rule watches" : `${rules.length} rules watch`} the numbers: ${rules.join(", ")}.</p>
        <p class="muted">What fired before is under <a href="/alerts?part=history">History</a>.</p>
      </div>`;
    }
    return html`<div class="panel calm">
      <p>No rule watches the numbers yet. A rule stands under <code>alerts</code> in the definition file:</p>
      <pre>alerts:
  few_orders:
    when: orders < 5
    for: 5m</pre>
    </div>`;
  }

  #changed(): void {
    void this.page.board.load();
    this.said?.refresh();
  }
}
