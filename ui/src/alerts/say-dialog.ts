/** The dialog by which somebody silences or acknowledges alerts. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import type { Page } from "../shell/page.ts";
import { localInput } from "../shell/ranges.ts";
import { dialogs, shared } from "../shell/styles.ts";
import { seriesText } from "./alert-words.ts";
import { CUSTOM, sayingOf, SPANS } from "./saying.ts";
import { listing } from "./styles.ts";
import type { About, Kind } from "./types.ts";

const WORDS: Readonly<Record<Kind, readonly [title: string, help: string]>> = {
  silences: ["Silence", "Nobody is told that it fires for that time. It is judged and listed as ever; what still fires when the silence ends is told then."],
  acknowledgements: ["Acknowledge", "Say that you look after it. Nobody is told of further series meanwhile. It ends when nothing it is about fires any more."],
};
const TWO_HOURS_MS = 7_200_000;

/** Fires `said` when the server has taken it. */
@customElement("lk-say-dialog")
export class SayDialog extends LitElement {
  static override styles = [
    shared,
    dialogs,
    listing,
    css`
      :host { --dialog: 34rem; }
      fieldset { border: 0; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 4px 16px; }
      legend { padding: 0 0 4px; color: var(--muted); font-size: 0.9rem; }
      .choice { display: flex; align-items: center; gap: 7px; min-height: 32px; }
      .choice input { width: 20px; min-height: 20px; margin: 0; accent-color: var(--accent); }
      .field { display: grid; gap: 3px; color: var(--muted); font-size: 0.9rem; }
      .field > * { color: var(--text); font-size: 1rem; width: 100%; }
    `,
  ];

  @property({ attribute: false }) page!: Page;
  @query("dialog") private dialog!: HTMLDialogElement;
  @state() private kind: Kind = "silences";
  @state() private about: About = { rule: null, series: {} };
  @state() private span = "";
  @state() private problem = "";
  @state() private busy = false;

  /** Opens it; the focus goes back to where it was when it is closed. */
  async open(kind: Kind, about: About): Promise<void> {
    this.kind = kind;
    this.about = about;
    this.span = SPANS[kind][0]?.[0] ?? "";
    this.problem = "";
    await this.updateComplete;
    this.renderRoot.querySelector("form")?.reset();
    this.dialog.showModal();
  }

  override render(): TemplateResult {
    const [title, help] = WORDS[this.kind];
    return html`<dialog aria-labelledby="title" aria-describedby="help">
      <form method="dialog" @submit=${this.#submit}>
        <h2 id="title" class="break">${title} ${this.#whom()}</h2>
        <p id="help" class="muted">${help}</p>
        ${this.#extent()} ${this.#spans()}
        <label class="field">Why <textarea name="reason" rows="2" required maxlength="2000"></textarea></label>
        <label class="field">Who you are
          <input name="author" required maxlength="200" autocomplete="name" value=${this.page.preferences.author} />
        </label>
        <p class="error" role="alert">${this.problem}</p>
        <div class="ends">
          <button type="button" @click=${() => this.dialog.close()}>Cancel</button>
          <button class="main" ?disabled=${this.busy}>${title}</button>
        </div>
      </form>
    </dialog>`;
  }

  #whom(): string {
    const { rule, series } = this.about;
    const of = seriesText(series);
    return `${rule ?? "all rules"}${of && ` for ${of}`}`;
  }

  #extent(): TemplateResult | typeof nothing {
    const of = seriesText(this.about.series);
    if (of === "") return nothing;
    return html`<fieldset>
      <legend>What it is about</legend>
      <label class="choice"><input type="radio" name="extent" value="one" checked />${of}</label>
      <label class="choice"><input type="radio" name="extent" value="whole" />the whole rule</label>
    </fieldset>`;
  }

  #spans(): TemplateResult {
    return html`<fieldset>
        <legend>For how long</legend>
        ${SPANS[this.kind].map(
          ([span, words], index) => html`<label class="choice">
            <input type="radio" name="span" value=${span} ?checked=${index === 0} @change=${() => (this.span = span)} />${words}
          </label>`,
        )}
      </fieldset>
      ${this.span === CUSTOM
        ? html`<label class="field">Until (${Intl.DateTimeFormat().resolvedOptions().timeZone})
            <input type="datetime-local" name="until" required value=${localInput(this.page.clock.now() + TWO_HOURS_MS)} />
          </label>`
        : nothing}`;
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault(); // it closes when the server has taken it
    const data = new FormData(event.target as HTMLFormElement);
    const text = (name: string): string => String(data.get(name) ?? "");
    this.busy = true;
    try {
      const filled = { author: text("author"), reason: text("reason"), span: text("span"), until: text("until"), whole: text("extent") === "whole" };
      const saying = sayingOf(this.about, filled, this.page.clock.now());
      this.page.preferences.author = filled.author.trim();
      await this.page.api.change("POST", `/v1/${this.kind}`, saying);
      this.dialog.close();
      this.dispatchEvent(new Event("said"));
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    } finally {
      this.busy = false;
    }
  }
}
