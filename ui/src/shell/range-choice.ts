/** A choice of a range of time. It fires `range-chosen`; the view keeps the range in its address. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Page } from "./page.ts";
import { type Chosen, LASTS, localInput, momentOf, ofInput } from "./ranges.ts";
import { shared } from "./styles.ts";

const BETWEEN = "between";
const HOUR_MS = 3_600_000;

export class RangeChosen extends Event {
  constructor(
    readonly from: string,
    readonly to: string | null,
  ) {
    super("range-chosen");
  }
}

@customElement("lk-range")
export class RangeChoice extends LitElement {
  static override styles = [
    shared,
    css`
      div { display: flex; flex-wrap: wrap; gap: 8px var(--gap); align-items: end; }
      label { display: grid; gap: 3px; font-size: 0.9rem; color: var(--muted); }
      label > * { color: var(--text); font-size: 1rem; }
    `,
  ];

  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) chosen: Chosen = { from: "-1d" };
  @state() private between = false;

  override render(): TemplateResult {
    const { from, to } = this.chosen;
    const fixed = this.between || !LASTS.some(([last]) => last === from);
    return html`<div>
      <label>Range
        <select @change=${this.#choose}>
          ${LASTS.map(([last, words]) => html`<option value=${last} ?selected=${!fixed && last === from}>${words}</option>`)}
          <option value=${BETWEEN} ?selected=${fixed}>Between…</option>
        </select>
      </label>
      ${fixed ? this.#inputs(from, to) : nothing}
    </div>`;
  }

  #inputs(from: string, to: string | undefined): TemplateResult {
    const now_ms = this.page.clock.now();
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const of = (text: string | undefined, otherwise: number): string => localInput(momentOf(text) ?? otherwise);
    return html`
      <label>From (${zone})<input id="from" type="datetime-local" .value=${of(from, now_ms - HOUR_MS)} @change=${this.#set} /></label>
      <label>To<input id="to" type="datetime-local" .value=${of(to, now_ms)} @change=${this.#set} /></label>
    `;
  }

  #choose(event: Event): void {
    const { value } = event.target as HTMLSelectElement;
    this.between = value === BETWEEN;
    if (!this.between) this.dispatchEvent(new RangeChosen(value, null));
  }

  #set(): void {
    const of = (id: string): string | null => ofInput(this.renderRoot.querySelector<HTMLInputElement>(`#${id}`)?.value ?? "");
    const from = of("from");
    if (from !== null) this.dispatchEvent(new RangeChosen(from, of("to")));
  }
}
