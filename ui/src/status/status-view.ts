/** How livekpi itself is: whether its numbers are up to date, its sources, what computes, what limits were reached. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { listing } from "../alerts/styles.ts";
import type { Source } from "../server/types.ts";
import { Ticking } from "../shell/follow.ts";
import { type Page, timesOf } from "../shell/page.ts";
import { Question } from "../shell/question.ts";
import "../shell/stale-file.ts";
import { shared } from "../shell/styles.ts";
import { bytesText, spanText } from "../words/spans.ts";
import "./source-card.ts";
import { engineText, type Job, jobWord, limitsToMind, limitText, type Status } from "./status.ts";

const EVERY_MS = 5_000;

@customElement("lk-status")
export class StatusView extends LitElement {
  static override styles = [
    shared,
    listing,
    css`
      :host { max-width: 100rem; margin-inline: auto; }
      .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: var(--gap); }
      .facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(8.5rem, 100%), 1fr)); gap: 12px var(--gap); margin: 0; }
      dt { color: var(--muted); font-size: 0.9rem; }
      dd { margin: 0; font-size: 1.1rem; overflow-wrap: anywhere; }
      .loading { min-height: 12rem; }
    `,
  ];

  @property({ attribute: false }) page!: Page;
  #status = new Question<readonly [Status, readonly Source[] | null]>(this, {
    page: () => this.page,
    about: () => null,
    ask: (signal) => this.#ask(signal),
    every_ms: EVERY_MS,
  });

  constructor() {
    super();
    new Ticking(this, 1_000);
  }

  override render(): TemplateResult {
    const { answer, error } = this.#status;
    return html`<div class="stack">
      <h1>Status</h1>
      ${error === null ? nothing : html`<p class="error" role="alert">${error.message} ${answer === null ? "" : "What is below is from before."}</p>`}
      ${answer === null ? html`<p class="muted loading">Loading…</p>` : html`${this.#ready(answer[0])} <lk-stale-file .page=${this.page}></lk-stale-file> ${this.#facts(answer[0])} ${this.#limits(answer[0])} ${this.#sources(answer[1])}`}
      <p class="muted">For programs: <a href="/metrics" target="_blank">/metrics</a>, <a href="/readyz" target="_blank">/readyz</a>,
        <a href="/openapi.json" target="_blank">/openapi.json</a>.</p>
    </div>`;
  }

  #ready(status: Status): TemplateResult {
    const parts = Object.entries(status.not_ready);
    return html`<section class="panel tight" aria-label="Readiness">
      <p class="line" role="status">
        ${status.ready
          ? html`<span class="state fine">Ready</span> Events are taken, every source is read and committed, alerts are judged.`
          : html`<span class="state alert">Not ready</span> The numbers are not up to date, or alerts are not judged:`}
      </p>
      ${parts.length === 0 ? nothing : html`<ul class="tight">${parts.map(([part, why]) => html`<li class="break"><span class="strong">${part}:</span> ${why}</li>`)}</ul>`}
    </section>`;
  }

  #facts(status: Status): TemplateResult {
    const { page } = this;
    const started_ms = Date.parse(status.started);
    const viewers = status.limits.find((limit) => limit.limit === "viewers");
    return html`<section class="panel" aria-label="The server">
      <dl class="facts">
        <div><dt>Computed by</dt><dd>${engineText(status.engine)}</dd></div>
        ${status.job === null ? nothing : this.#job(status.job)}
        <div><dt>Version</dt><dd>${status.version}</dd></div>
        <div><dt>Running for</dt><dd><time datetime=${status.started} title=${`since ${timesOf(page).full(started_ms)} (${timesOf(page).timezone})`}>${spanText(page.clock.now() - started_ms, page.locales)}</time></dd></div>
        <div><dt>Viewers now</dt><dd>${page.numbers.text(viewers?.used)}</dd></div>
        <div><dt>Store</dt><dd>${bytesText(status.store_bytes, page.locales)}</dd></div>
        <div><dt>Memory</dt><dd>${bytesText(status.memory_bytes, page.locales)}</dd></div>
      </dl>
    </section>`;
  }

  #job(job: Job): TemplateResult {
    const { page } = this;
    const [kind, word] = jobWord(job);
    return html`
      <div><dt>Its job${job.name === null ? "" : ` ${job.name}`}</dt><dd><span class="state ${kind}">${word}</span>${job.detail === null ? "" : ` ${job.detail}`}</dd></div>
      ${job.restarts === null ? nothing : html`<div><dt>Restarted by the cluster</dt><dd>${job.restarts === 1 ? "once" : `${page.numbers.text(job.restarts)} times`}</dd></div>`}
      ${job.last_checkpoint === null
        ? nothing
        : html`<div><dt>Last checkpoint</dt><dd>${spanText(page.clock.now() - Date.parse(job.last_checkpoint), page.locales)} ago</dd></div>`}
    `;
  }

  #limits(status: Status): TemplateResult {
    const minded = limitsToMind(status.limits);
    return html`<section class="panel tight" aria-labelledby="limits">
      <h2 id="limits">Limits</h2>
      ${minded.length === 0
        ? html`<p class="muted">None is reached or near.</p>`
        : html`<ul class="tight">${minded.map(({ limit, word: [kind, word] }) => html`<li class="break"><span class="state ${kind}">${word}</span> ${limitText(limit, this.page.numbers)}</li>`)}</ul>`}
    </section>`;
  }

  #sources(sources: readonly Source[] | null): TemplateResult {
    const now_ms = this.page.clock.now();
    return html`<section class="stack" aria-labelledby="sources">
      <div class="line"><h2 id="sources">Sources</h2><span class="muted">Times are in ${timesOf(this.page).timezone}.</span></div>
      ${sources === null
        ? html`<p class="error">The store can't be read at present, so nothing is known of the sources.</p>`
        : html`<div class="cards">${repeat(sources, (source) => source.source, (source) => html`<lk-source .page=${this.page} .source=${source} .now_ms=${now_ms}></lk-source>`)}</div>`}
    </section>`;
  }

  /** What is in memory is answered even where the store can't be read. */
  async #ask(signal: AbortSignal): Promise<readonly [Status, readonly Source[] | null]> {
    const [status, sources] = await Promise.allSettled([
      this.page.api.get<Status>("/v1/status", {}, signal),
      this.page.api.get<{ sources: Source[] }>("/v1/sources", {}, signal),
    ]);
    if (status.status === "rejected") throw status.reason;
    return [status.value, sources.status === "fulfilled" ? sources.value.sources : null];
  }
}
