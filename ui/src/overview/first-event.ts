/** What to do while there is no event yet: a line that sends the first. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Source } from "../server/types.ts";
import type { Page } from "../shell/page.ts";
import { shared } from "../shell/styles.ts";
import { curlLine } from "./first-event-line.ts";

const COPIED_MS = 2_000;

@customElement("lk-first-event")
export class FirstEvent extends LitElement {
  static override styles = [
    shared,
    css`
      .panel { display: grid; gap: 12px; max-width: 60rem; }
      .line { display: flex; flex-wrap: wrap; gap: 8px; align-items: start; }
      pre { flex: 1 1 20rem; min-width: 0; margin: 0; padding: 10px 12px; background: var(--raised); border-radius: 6px; font: 0.85rem/1.5 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere; }
      code { font-family: var(--mono); }
    `,
  ];

  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) sources: readonly Source[] = [];
  /** Whether the server wants a token; asked for once. */
  @state() private token = false;
  @state() private copied = "";

  override connectedCallback(): void {
    super.connectedCallback();
    void this.page.api.session().then(
      (session) => (this.token = session.needed),
      () => undefined, // the line is shown without one then
    );
  }

  override render(): TemplateResult {
    return html`<section class="panel" aria-labelledby="heading">
      <h2 id="heading">No event yet</h2>
      <p>The KPIs below are computed as soon as events come, and this page shows them by itself.</p>
      ${this.sources.map((source) => (source.kind === "http" ? this.#door(source) : this.#elsewhere(source)))}
      ${this.token ? html`<p class="muted">This server wants a token that may send events; the line takes it from <code>LIVEKPI_TOKEN</code>.</p>` : nothing}
    </section>`;
  }

  #door(source: Source): TemplateResult {
    const counting = this.page.kpis.filter((kpi) => kpi.sources.includes(source.source));
    const line = curlLine({ origin: location.origin, source: source.source, fields: source.fields, token: this.token }, counting);
    const copied = this.copied === source.source;
    return html`<p>Send <strong>${source.source}</strong> its first event from a terminal:</p>
      <div class="line">
        <pre tabindex="0" role="group" aria-label="Command for ${source.source}">${line}</pre>
        <button @click=${() => this.#copy(source.source, line)} aria-label="Copy the command for ${source.source}">${copied ? "Copied" : "Copy"}</button>
      </div>
      <span class="hidden-text" role="status">${copied ? "Copied" : ""}</span>`;
  }

  #elsewhere(source: Source): TemplateResult {
    return html`<p>
      <strong>${source.source}</strong> reads from ${source.kind === "stdin" ? "standard input" : source.kind === "file" ? "files" : source.kind},
      and nothing was there yet. ${source.problem ? html`<span class="error">${source.problem}</span>` : nothing}
      <a href="/status">How far it is read</a>
    </p>`;
  }

  async #copy(source: string, line: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(line);
    } catch {
      this.#select(source); // no clipboard without TLS on another machine: marked, to be copied by hand
      return;
    }
    this.copied = source;
    setTimeout(() => (this.copied = ""), COPIED_MS);
  }

  #select(source: string): void {
    const line = [...this.renderRoot.querySelectorAll("pre")].find((each) => each.getAttribute("aria-label")?.endsWith(` ${source}`));
    if (line !== undefined) getSelection()?.selectAllChildren(line);
  }
}
