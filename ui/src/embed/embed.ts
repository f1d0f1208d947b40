/** One KPI in a frame on another page. */

import { css, html, LitElement, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import "../dashboards/chart-tile.ts";
import { Api, ServerError } from "../server/api.ts";
import { ServerClock } from "../server/clock.ts";
import { type Connection, Live } from "../server/live.ts";
import { streamsOf } from "../server/shared.ts";
import type { KpiTile } from "../server/types.ts";
import { AlertBoard } from "../shell/alert-board.ts";
import "../shell/connection.ts";
import { Follow } from "../shell/follow.ts";
import { type Page, timesOf } from "../shell/page.ts";
import { Preferences } from "../shell/preferences.ts";
import { Router } from "../shell/router.ts";
import { shared } from "../shell/styles.ts";
import { usableLocales } from "../words/locales.ts";
import { Numbers } from "../words/numbers.ts";
import { embeddedBy } from "./address.ts";
import { Memory } from "./memory.ts";

const RETRY_MS = 5_000;
/** While it is so, nobody has to be told. */
const QUIET: readonly Connection[] = ["live", "connecting", "paused"];

@customElement("lk-embed")
export class Embed extends LitElement {
  static override styles = [
    shared,
    css`
      main { position: fixed; inset: 0; display: grid; overflow: auto; }
      .problem { margin: var(--gap); align-self: start; }
      .foot { position: fixed; inset: auto 10px 4px 16px; display: flex; justify-content: space-between; gap: 10px; font-size: 0.75rem; }
    `,
  ];

  readonly #said = embeddedBy(new URL(location.href));
  readonly #clock = new ServerClock();
  readonly #api = new Api(this.#clock, this.#said.token);
  readonly #live = new Live(streamsOf(this.#api, this.#said.token));
  readonly #board = new AlertBoard(this.#api, this.#live);
  readonly #preferences = new Preferences(new Memory({ theme: this.#said.theme, zone: "kpi" }), document.documentElement);
  readonly #router = new Router(window);
  #retry: ReturnType<typeof setTimeout> | null = null;
  @state() private page: Page | null = null;
  @state() private problem = "";

  constructor() {
    super();
    // the token is in nobody's way any longer: not in the address, not in the history, not in what is copied from there
    if (location.hash !== "") history.replaceState(null, "", location.pathname + location.search);
    new Follow(this, () => this.#live, "connection");
    this.#live.on("definition", () => void this.#load());
    document.addEventListener("visibilitychange", () => this.#live.show(!document.hidden));
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#live.show(!document.hidden);
    void this.#load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#live.close();
  }

  override render(): TemplateResult {
    return html`<main>${this.#content()}</main>`;
  }

  #content(): TemplateResult {
    const { page } = this;
    if (page === null) return html`<p class="problem" role="status">${this.problem || "Loading…"}</p>`;
    const kpi = page.kpis.find((each) => each.kpi === this.#said.kpi);
    if (kpi === undefined) return html`<p class="problem" role="status">There is no KPI “${this.#said.kpi}”.</p>`;
    const by = this.#said.by !== null && kpi.by.includes(this.#said.by) ? this.#said.by : null;
    const tile: KpiTile = { kpi: kpi.kpi, title: null, size: "medium", by, top: 5, span: this.#said.span };
    return html`<lk-chart-tile fill .page=${page} .kpi=${kpi} .tile=${tile} .target=${"_blank"} .level=${1}></lk-chart-tile>
      <div class="foot">
        <span class="muted">Times in ${timesOf(page, kpi).timezone}</span>
        ${QUIET.includes(this.#live.connection) ? "" : html`<lk-connection .page=${page}></lk-connection>`}
      </div>`;
  }

  async #load(): Promise<void> {
    if (this.#retry !== null) clearTimeout(this.#retry);
    try {
      const kpis = await this.#api.kpis();
      const locales = usableLocales(navigator.languages);
      this.page = {
        ...{ api: this.#api, live: this.#live, clock: this.#clock, preferences: this.#preferences, router: this.#router, board: this.#board },
        ...{ numbers: new Numbers(locales), locales, kpis, dashboards: [], scopes: ["read"] },
      };
      this.problem = "";
      void this.#board.load();
    } catch (error) {
      const refused = error instanceof ServerError && (error.status === 401 || error.status === 403);
      this.problem = refused
        ? "This frame needs a token of the scope embed: put #token=… at the end of its address."
        : error instanceof Error
          ? error.message
          : String(error);
      if (!refused) this.#retry = setTimeout(() => void this.#load(), RETRY_MS);
    }
  }
}
