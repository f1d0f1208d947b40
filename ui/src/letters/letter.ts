/** One dead letter: where it came from, why it is none, and its record. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { listing } from "../alerts/styles.ts";
import { type Page, timesOf } from "../shell/page.ts";
import { shared } from "../shell/styles.ts";
import { cut, type Letter, recordText } from "./letters.ts";

const MOST = 600;

/** Somebody wants to mend and replay a letter. */
export class MendEvent extends Event {
  static readonly NAME = "lk-mend";

  constructor(readonly letter: Letter) {
    super(MendEvent.NAME, { bubbles: true, composed: true });
  }
}

@customElement("lk-letter")
export class LetterElement extends LitElement {
  static override styles = [
    shared,
    listing,
    css`
      article { display: grid; gap: 6px; padding: 14px 0; border-top: 1px solid var(--line); }
      pre { background: var(--raised); padding: 8px 10px; border-radius: 6px; }
      h2 { font-size: 1rem; }
      .head { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 6px 12px; align-items: start; }
      @media (max-width: 700px) { .head { grid-template-columns: minmax(0, 1fr); justify-items: start; } }
    `,
  ];

  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) letter!: Letter;
  @state() private whole = false;

  override render(): TemplateResult {
    const { letter, page } = this;
    const times = timesOf(page);
    const text = recordText(letter);
    const { head, left } = cut(text, MOST);
    return html`<article aria-labelledby="reason">
      <div class="head">
        <h2 id="reason" class="break">${letter.reason}</h2>
        ${page.scopes.includes("ingest")
          ? html`<button @click=${() => this.dispatchEvent(new MendEvent(letter))}>Mend and replay<span class="hidden-text"> letter ${letter.number}</span></button>`
          : nothing}
      </div>
      <p class="muted break">Source ${letter.source}${letter.field === null ? "" : html`, field <code>${letter.field}</code>`}, kind <code>${letter.code}</code>,
        partition ${letter.partition} at ${letter.position}, arrived
        <time datetime=${letter.arrived}>${times.full(Date.parse(letter.arrived))}</time></p>
      ${letter.record === undefined ? html`<p class="muted">Its bytes are no text; here they are in hex.</p>` : nothing}
      <pre>${text === "" ? html`<span class="muted">(an empty record)</span>` : this.whole ? text : head}${!this.whole && left > 0 ? "…" : nothing}</pre>
      ${left > 0
        ? html`<div><button aria-expanded=${this.whole} @click=${() => (this.whole = !this.whole)}>
            ${this.whole ? "Show less" : `Show all (${page.numbers.text(left)} more characters)`}</button></div>`
        : nothing}
    </article>`;
  }
}
