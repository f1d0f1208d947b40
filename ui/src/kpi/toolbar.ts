/** What a KPI's view is to show. Tells `choose`: a part of the state. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Kpi } from "../server/types.ts";
import { shared } from "../shell/styles.ts";
import { parseDuration } from "../words/durations.ts";
import "./range-form.ts";
import type { Range } from "./range-form.ts";
import { nameOf } from "./split.ts";
import { COMPARED, type KpiState, SPANS, TOPS } from "./state.ts";
import { stepsFor } from "./wants.ts";

@customElement("lk-kpi-toolbar")
export class Toolbar extends LitElement {
  static override styles = [
    shared,
    css`
      .bar, .more { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: center; font-size: 0.9rem; }
      .spans { display: flex; }
      .spans button { border-radius: 0; margin-inline-start: -1px; }
      .spans button:first-child { border-radius: 6px 0 0 6px; margin: 0; }
      .spans button:last-child { border-radius: 0 6px 6px 0; }
      label { display: flex; align-items: center; gap: 6px; }
      input[type="checkbox"] { min-height: 24px; width: 20px; margin: 0; }
      .options { display: none; }
      .chips { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 8px; }
      .chips button { border-radius: 999px; min-height: 30px; padding: 1px 12px; }
      lk-range-form { margin-top: 8px; }
      /* the chart comes first on a phone: one line, and the rest on demand */
      @media (max-width: 700px) {
        .bar { gap: 8px; }
        .spans { flex: 1; }
        .spans button { flex: 1; padding: 5px 4px; }
        .options { display: block; padding: 5px 8px; }
        .more { display: none; flex-basis: 100%; }
        .more.open { display: flex; }
      }
    `,
  ];

  @property({ attribute: false }) kpi!: Kpi;
  @property({ attribute: false }) state!: KpiState;
  /** The step that is shown. */
  @property() step = "";
  /** The zone that times are shown and steps begin in. */
  @property() timezone = "UTC";
  /** What range is shown, as a form to change it begins with; in ms. */
  @property({ attribute: false }) shown: readonly [from_ms: number, to_ms: number] = [0, 0];
  @state() private custom = false;
  /** Whether a narrow screen shows more than the spans. */
  @state() private open = false;

  override render(): TemplateResult {
    return html`
      <div class="bar">
        ${this.#spans()}
        <button class="options" aria-expanded=${this.open} aria-controls="more" @click=${() => (this.open = !this.open)}>${this.#optionsText()}</button>
        ${this.#more()}
      </div>
      ${this.custom
        ? html`<lk-range-form .timezone=${this.timezone} .shown=${this.shown} @range=${(event: CustomEvent<Range | null>) => this.#ranged(event.detail)}></lk-range-form>`
        : nothing}
      ${this.#chips()}
    `;
  }

  #more(): TemplateResult {
    const { kpi, state } = this;
    const named = (names: readonly string[]): [string, string][] => names.map((each) => [each, each]);
    const expected = (event: Event): void => this.#choose({ expected: (event.target as HTMLInputElement).checked });
    return html`<div id="more" class="more ${this.open ? "open" : ""}">
      <button aria-pressed=${!("span_ms" in state.window)} aria-expanded=${this.custom} @click=${() => (this.custom = !this.custom)}>From … to</button>
      <label>Step ${this.#select([["", `${this.step} (fits)`], ...named(stepsFor(kpi, state))], state.step ?? "", (step) => ({ step: step || null }))}</label>
      ${kpi.by.length === 0
        ? nothing
        : html`<label>Split by ${this.#select([["", "nothing"], ...named(kpi.by)], state.by ?? "", (by) => ({ by: by || null }))}</label>`}
      ${state.by === null ? nothing : html`<label>Top ${this.#select(named(TOPS.map(String)), String(state.top), (top) => ({ top: Number(top) }))}</label>`}
      <label>Compare ${this.#select([["", "nothing"], ...Object.entries(COMPARED)], state.compare ?? "", (compare) => ({ compare: compare || null }))}</label>
      ${state.by === null ? html`<label><input type="checkbox" .checked=${state.expected} @change=${expected} />Expected</label>` : nothing}
    </div>`;
  }

  #spans(): TemplateResult {
    const { window } = this.state;
    const span_ms = "span_ms" in window ? window.span_ms : null;
    return html`<div class="spans" role="group" aria-label="Time shown, up to now">
      ${SPANS.filter((span) => parseDuration(span) >= 3 * parseDuration(this.kpi.every)).map((span) => {
        const pressed = parseDuration(span) === span_ms;
        return html`<button aria-pressed=${pressed} @click=${() => this.#choose({ window: { span_ms: parseDuration(span) } })}>${span}</button>`;
      })}
    </div>`;
  }

  #chips(): TemplateResult | typeof nothing {
    const { filters } = this.state;
    if (filters.length === 0) return nothing;
    return html`<div class="chips" role="group" aria-label="Only these slices">
      ${filters.map(
        (filter) =>
          html`<button
            @click=${() => this.#choose({ filters: filters.filter((each) => each !== filter) })}
            aria-label="Only ${filter.dimension} ${nameOf(filter.value)}: remove"
          >
            ${filter.dimension}: <strong>${nameOf(filter.value)}</strong> <span aria-hidden="true">✕</span>
          </button>`,
      )}
    </div>`;
  }

  #select(options: readonly (readonly [string, string])[], chosen: string, made: (value: string) => Partial<KpiState>): TemplateResult {
    return html`<select @change=${(event: Event) => this.#choose(made((event.target as HTMLSelectElement).value))}>
      ${options.map(([value, text]) => html`<option value=${value} .selected=${value === chosen}>${text}</option>`)}
    </select>`;
  }

  #ranged(range: Range | null): void {
    this.custom = false;
    if (range !== null) this.#choose({ window: range });
  }

  /** How many of the choices behind it are not as they usually are: what is hidden still counts. */
  #optionsText(): string {
    const { window, step, by, compare, expected } = this.state;
    const chosen = [!("span_ms" in window), step !== null, by !== null, compare !== null, by === null && !expected].filter(Boolean).length;
    return chosen === 0 ? "Options" : `Options (${chosen})`;
  }

  #choose(part: Partial<KpiState>): void {
    this.dispatchEvent(new CustomEvent("choose", { detail: part }));
  }
}
