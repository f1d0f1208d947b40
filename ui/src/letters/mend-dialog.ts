/** The dialog in which a dead letter's record is mended and fed back. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import type { Page } from "../shell/page.ts";
import { dialogs, shared } from "../shell/styles.ts";
import type { Letter, Replayed } from "./letters.ts";

/** Fires `replayed` when the record has been counted. */
@customElement("lk-mend-dialog")
export class MendDialog extends LitElement {
  static override styles = [
    shared,
    dialogs,
    css`
      :host { --dialog: 46rem; }
      form { gap: 12px; }
      label { display: grid; gap: 3px; color: var(--muted); font-size: 0.9rem; }
      textarea { color: var(--text); font-family: var(--mono); font-size: 0.9rem; width: 100%; min-height: 12rem; }
      .break { overflow-wrap: anywhere; }
    `,
  ];

  @property({ attribute: false }) page!: Page;
  @query("dialog") private dialog!: HTMLDialogElement;
  @query("textarea") private area!: HTMLTextAreaElement | null;
  @state() private letter: Letter | null = null;
  @state() private problem = "";
  @state() private busy = false;

  /** Opens it; the focus goes back to where it was when it is closed. */
  async open(letter: Letter): Promise<void> {
    this.letter = letter;
    this.problem = "";
    await this.updateComplete;
    if (this.area !== null) this.area.value = letter.record ?? "";
    this.dialog.showModal();
  }

  override render(): TemplateResult {
    return html`<dialog aria-labelledby="title" aria-describedby="reason">
      <form method="dialog" @submit=${this.#submit}>
        <h2 id="title">Mend and replay letter ${this.letter?.number}</h2>
        <p id="reason" class="break">${this.letter?.reason}</p>
        ${this.letter?.record === undefined
          ? html`<p class="muted">Its bytes are no text, so they can't be changed here. They are fed back as they are, which helps once the definition was mended.</p>`
          : html`<label>Record <textarea spellcheck="false"></textarea></label>`}
        <p class="muted">It is counted once. If it is still no event, it stays a dead letter, and the reason is said here.</p>
        <p class="error break" role="alert">${this.problem || nothing}</p>
        <div class="ends">
          <button type="button" @click=${() => this.dialog.close()}>Cancel</button>
          <button class="main" ?disabled=${this.busy}>Replay</button>
        </div>
      </form>
    </dialog>`;
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault(); // it closes when the record has been counted
    const { letter } = this;
    if (letter === null) return;
    const record = this.area?.value;
    const mended = record !== undefined && record !== letter.record ? { record } : {};
    this.busy = true;
    try {
      const found = await this.page.api.change<Replayed>("POST", "/v1/dead-letters/replay", { letters: [{ number: letter.number, ...mended }] });
      this.problem = found.errors[0]?.reason ?? (found.replayed === 0 ? "This letter is gone: somebody else has replayed it." : "");
      if (found.replayed > 0) this.dialog.close();
      if (this.problem === "") this.dispatchEvent(new Event("replayed"));
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    } finally {
      this.busy = false;
    }
  }
}
