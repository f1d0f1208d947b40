/** Says that the file has changed and what it says now is not in effect: nothing on the stream tells of that. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Page } from "./page.ts";
import { Question } from "./question.ts";
import { shared } from "./styles.ts";

const EVERY_MS = 15_000;

@customElement("lk-stale-file")
export class StaleFile extends LitElement {
  static override styles = [
    shared,
    css`
      :host(:not([stale])) { display: none; }
      p { background: var(--watch-ground); border: 1px solid var(--watch); border-radius: var(--radius); padding: 8px 14px; overflow-wrap: anywhere; }
    `,
  ];

  @property({ attribute: false }) page!: Page;
  /** In a line, with a link to where all of it stands. */
  @property({ type: Boolean }) short = false;
  #stale = new Question<string | null>(this, {
    page: () => this.page,
    about: () => null,
    ask: async (signal) => (await this.page.api.dashboards(signal)).stale,
    every_ms: EVERY_MS,
  });

  override render(): TemplateResult {
    return html`<div role="status">${this.#said(this.#stale.answer)}</div>`;
  }

  protected override updated(): void {
    this.toggleAttribute("stale", this.#stale.answer !== null);
  }

  #said(why: string | null): TemplateResult | typeof nothing {
    if (why === null) return nothing;
    if (this.short) return html`<p>The file has changed, but this is what it said before. <a href="/status">Why</a></p>`;
    return html`<p><strong>The file is not in effect.</strong> It has changed, and what ran before goes on: ${why}</p>`;
  }
}
