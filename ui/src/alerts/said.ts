/** The silences and acknowledgements that hold, now or later; those who may end them. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { Ticking } from "../shell/follow.ts";
import { type Page, timesOf } from "../shell/page.ts";
import { Question } from "../shell/question.ts";
import { shared } from "../shell/styles.ts";
import { spanText } from "../words/spans.ts";
import { seriesText } from "./alert-words.ts";
import { AskEvent } from "./ask-event.ts";
import { listing } from "./styles.ts";
import type { Kind, Word } from "./types.ts";

const EVERY_MS = 15_000;
const TITLES: Readonly<Record<Kind, readonly [title: string, none: string, one: string]>> = {
  silences: ["Silences", "No alert is silenced.", "silence"],
  acknowledgements: ["Acknowledgements", "Nobody has said that they look after an alert.", "acknowledgement"],
};

@customElement("lk-said")
export class Said extends LitElement {
  static override styles = [shared, listing, css`section { display: grid; gap: 10px; grid-template-columns: minmax(0, 1fr); } .reason { min-width: 12rem; }`];

  @property({ attribute: false }) page!: Page;
  @state() private problem = "";
  @state() private told = "";
  #words = new Question(this, {
    page: () => this.page,
    about: () => null,
    ask: async (signal) => {
      const asked = (["silences", "acknowledgements"] as const).map((kind) => this.page.api.get<Record<Kind, Word[]>>(`/v1/${kind}`, {}, signal));
      const [silences, acknowledgements] = await Promise.all(asked);
      return { silences: silences?.silences ?? [], acknowledgements: acknowledgements?.acknowledgements ?? [] };
    },
    every_ms: EVERY_MS,
  });

  constructor() {
    super();
    new Ticking(this, EVERY_MS);
  }

  /** Asks anew, as after somebody has said something. */
  refresh(): void {
    this.#words.again();
  }

  override render(): TemplateResult {
    const act = this.page.scopes.includes("act");
    return html`<div class="stack">
      ${act
        ? html`<div><button @click=${() => this.dispatchEvent(new AskEvent("silences", { rule: null, series: {} }))}>Silence all rules…</button></div>`
        : html`<p class="muted">You may look at these; changing them needs a token of the scope act.</p>`}
      <p class="error" role="alert">${this.problem || (this.#words.error?.message ?? "")}</p>
      <p class="hidden-text" role="status">${this.told}</p>
      ${this.#list("silences", act)} ${this.#list("acknowledgements", act)}
    </div>`;
  }

  #list(kind: Kind, act: boolean): TemplateResult {
    const [title, none] = TITLES[kind];
    const words = this.#words.answer?.[kind];
    return html`<section class="panel" aria-labelledby=${kind} aria-busy=${words === undefined}>
      <h2 id=${kind}>${title}</h2>
      ${words === undefined ? html`<p class="muted">Loading…</p>` : words.length === 0 ? html`<p class="muted">${none}</p>` : this.#table(kind, words, act)}
    </section>`;
  }

  #table(kind: Kind, words: readonly Word[], act: boolean): TemplateResult {
    return html`<div class="scroll" tabindex="0" role="group" aria-label="Table of ${kind}"><table>
      <thead><tr><th scope="col">About</th><th scope="col">Until (${timesOf(this.page).timezone})</th><th scope="col">Who</th><th scope="col">Why</th>
        ${act ? html`<th scope="col"><span class="hidden-text">Change</span></th>` : nothing}</tr></thead>
      <tbody>${words.map((word) => this.#row(kind, word, act))}</tbody>
    </table></div>`;
  }

  #row(kind: Kind, word: Word, act: boolean): TemplateResult {
    const times = timesOf(this.page);
    const now_ms = this.page.clock.now();
    const [from_ms, until_ms] = [Date.parse(word.from), Date.parse(word.until)];
    const when = from_ms > now_ms ? `begins ${times.full(from_ms)}` : `${spanText(until_ms - now_ms, this.page.locales)} left`;
    const whom = `${word.rule ?? "all rules"}${seriesText(word.series) && `, ${seriesText(word.series)}`}`;
    return html`<tr>
      <td>${whom}</td>
      <td>${times.full(until_ms)}<br /><span class="muted">${when}</span></td>
      <td>${word.author}</td>
      <td class="reason break">${word.reason}</td>
      ${act ? html`<td><button @click=${() => this.#end(kind, word)}>End now<span class="hidden-text">: ${TITLES[kind][2]} of ${whom}</span></button></td>` : nothing}
    </tr>`;
  }

  async #end(kind: Kind, word: Word): Promise<void> {
    try {
      await this.page.api.change("DELETE", `/v1/${kind}/${word.number}`);
      this.problem = "";
      this.told = `The ${TITLES[kind][2]} has ended.`;
      this.dispatchEvent(new Event("said"));
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
    this.refresh();
  }
}
