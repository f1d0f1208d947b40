/** Annotations of a KPI: what happened when, and a form to say so. Tells `changed` where one was added or deleted. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { offsetIn } from "../chart/axis.ts";
import type { Annotation, Kpi } from "../server/types.ts";
import { type Page, timesOf } from "../shell/page.ts";
import { shared } from "../shell/styles.ts";
import { fromWall, wallText } from "./wall.ts";

const KINDS = ["note", "deploy", "campaign", "incident"] as const;

@customElement("lk-notes")
export class Notes extends LitElement {
  static override styles = [
    shared,
    css`
      ul { list-style: none; margin: 8px 0; padding: 0; display: grid; gap: 8px; }
      li { display: flex; gap: 8px; align-items: start; justify-content: space-between; overflow-wrap: anywhere; }
      li button { min-height: 28px; padding: 1px 8px; flex: none; }
      header { display: flex; justify-content: space-between; align-items: center; gap: 8px; }
      form { display: grid; gap: 8px; margin-top: 8px; }
      .two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(15rem, 100%), 1fr)); gap: 8px; }
      label { display: grid; gap: 2px; font-size: 0.9rem; min-width: 0; }
      input, select { width: 100%; min-width: 0; }
      .small { font-size: 0.9rem; }
    `,
  ];

  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) kpi!: Kpi;
  /** Those in the range that is shown. */
  @property({ attribute: false }) notes: readonly Annotation[] = [];
  @state() private writing = false;
  @state() private busy = false;
  @state() private problem = "";

  override render(): TemplateResult {
    const may = this.page.scopes.includes("act");
    const sorted = [...this.notes].sort((one, other) => other.time.localeCompare(one.time));
    return html`<section class="panel" aria-labelledby="title">
      <header>
        <h2 id="title">Annotations</h2>
        ${may ? html`<button aria-expanded=${this.writing} @click=${() => (this.writing = !this.writing)}>Add</button>` : nothing}
      </header>
      ${this.writing ? this.#form() : nothing}
      <p class="error" role="alert">${this.problem}</p>
      ${sorted.length === 0 ? html`<p class="muted">Nobody noted anything in this range${may ? "; a deploy or a campaign, say" : ""}.</p>` : nothing}
      <ul>${sorted.map((note) => this.#note(note, may))}</ul>
    </section>`;
  }

  #note(note: Annotation, may: boolean): TemplateResult {
    const times = timesOf(this.page, this.kpi);
    const time = (text: string): string => times.full(Date.parse(text));
    // the server takes http and https only; a link is asked for here so that nothing else is ever followed
    const link = note.link !== null && /^https?:\/\//.test(note.link) ? note.link : null;
    return html`<li>
      <div>
        <strong>${note.text}</strong> ${link === null ? nothing : html`<a href=${link} target="_blank" rel="noreferrer noopener">link</a>`}
        <div class="muted small">
          ${note.kind} · ${time(note.time)}${note.end === null ? nothing : ` to ${time(note.end)}`}${note.author ? ` · ${note.author}` : nothing}${note.kpis.length === 0 ? " · all KPIs" : nothing}
        </div>
      </div>
      ${may ? html`<button ?disabled=${this.busy} aria-label="Delete “${note.text}”" @click=${() => this.#change(() => this.page.api.change("DELETE", `/v1/annotations/${note.number}`))}>Delete</button>` : nothing}
    </li>`;
  }

  #form(): TemplateResult {
    const { timezone } = timesOf(this.page, this.kpi);
    const now = wallText(this.page.clock.now(), offsetIn(timezone));
    return html`<form @submit=${this.#submit}>
      <label>What happened <input name="text" required maxlength="1000" /></label>
      <div class="two">
        <label>Kind <input name="kind" list="kinds" value=${KINDS[0]} required pattern="\\w[\\w\\-]*" title="one word" /></label>
        <datalist id="kinds">${KINDS.map((kind) => html`<option value=${kind}></option>`)}</datalist>
        <label>By <input name="author" maxlength="200" autocomplete="name" /></label>
        <label>When (${timezone}) <input type="datetime-local" name="time" step="1" required value=${now} /></label>
        <label>Until, where it lasted <input type="datetime-local" name="end" step="1" /></label>
        <label>Link <input type="url" name="link" placeholder="https://" /></label>
        <label>For <select name="kpis"><option value="this">${this.kpi.title}</option><option value="all">all KPIs</option></select></label>
      </div>
      <button class="main" ?disabled=${this.busy}>Add the annotation</button>
    </form>`;
  }

  #submit(event: SubmitEvent): void {
    event.preventDefault();
    const given = new FormData(event.target as HTMLFormElement);
    const text = (name: string): string => String(given.get(name) ?? "").trim();
    const offset = offsetIn(timesOf(this.page, this.kpi).timezone);
    const moment = (name: string): string | null => {
      const found_ms = text(name) === "" ? null : fromWall(text(name), offset);
      return found_ms === null ? null : new Date(found_ms).toISOString();
    };
    const body = {
      ...{ text: text("text"), kind: text("kind"), author: text("author"), link: text("link") || null },
      ...{ time: moment("time"), end: moment("end"), kpis: text("kpis") === "all" ? [] : [this.kpi.kpi] },
    };
    void this.#change(async () => {
      await this.page.api.change("POST", "/v1/annotations", body);
      this.writing = false;
    });
  }

  async #change(change: () => Promise<unknown>): Promise<void> {
    this.busy = true;
    this.problem = "";
    try {
      await change();
      this.dispatchEvent(new CustomEvent("changed"));
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    } finally {
      this.busy = false;
    }
  }
}
