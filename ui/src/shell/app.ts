/** The page: what is around the views, and which of them is shown. */

import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { Api, ServerError } from "../server/api.ts";
import { ServerClock } from "../server/clock.ts";
import { Live } from "../server/live.ts";
import { streamsOf } from "../server/shared.ts";
import { usableLocales } from "../words/locales.ts";
import { Numbers } from "../words/numbers.ts";
import { AlertBoard } from "./alert-board.ts";
import "./connection.ts";
import "./display-choice.ts";
import { Follow } from "./follow.ts";
import type { Page } from "./page.ts";
import { Preferences } from "./preferences.ts";
import { Router, type ViewName } from "./router.ts";
import "./sign-in.ts";
import { shared } from "./styles.ts";
import { view } from "./views.ts";

const RETRY_MS = 2_000;
type Link = readonly [path: string, view: ViewName, title: string];
/** What somebody called at night needs comes first; dashboards stand between. */
const FIRST: readonly Link[] = [["/", "overview", "Overview"], ["/alerts", "alerts", "Alerts"]];
const LAST: readonly Link[] = [["/status", "status", "Status"], ["/dead-letters", "dead-letters", "Dead letters"], ["/tv", "tv", "TV"]];

@customElement("lk-app")
export class App extends LitElement {
  static override styles = [
    shared,
    css`
      header {
        display: flex; flex-wrap: wrap; align-items: center; gap: 8px var(--gap); padding: 8px var(--gap);
        background: var(--surface); border-bottom: 1px solid var(--line);
      }
      nav { display: flex; flex-wrap: wrap; gap: 4px; }
      nav a { color: var(--text); text-decoration: none; padding: 8px 10px; border-radius: 6px; }
      nav a:hover { background: var(--raised); }
      nav a[aria-current="page"] { color: var(--accent); font-weight: 600; box-shadow: inset 0 -3px var(--accent); }
      @media (forced-colors: active) { nav a[aria-current="page"] { text-decoration: underline; text-decoration-thickness: 3px; text-underline-offset: 6px; } }
      .brand { font-weight: 700; color: var(--text); text-decoration: none; padding: 8px 0; }
      .end { margin-inline-start: auto; display: flex; flex-wrap: wrap; align-items: center; gap: 8px; }
      :host { display: flex; flex-direction: column; min-height: 100vh; }
      main { flex: 1; display: grid; grid-template-columns: minmax(0, 1fr); align-items: start; padding: var(--gap); }
      /* views that use what height there is */
      main > lk-dashboard, main > lk-overview { align-self: stretch; }
      main:focus { outline: none; }
      .skip { position: absolute; left: -999px; }
      .skip:focus { left: 8px; top: 8px; background: var(--surface); padding: 8px; z-index: 10; }
      .count { background: var(--alert-ground); color: var(--alert); border-radius: 999px; padding: 0 7px; font-weight: 600; }
      @media (max-width: 760px) {
        header { gap: 0 8px; padding: 4px 12px; }
        header nav { order: 1; flex-wrap: nowrap; overflow-x: auto; width: 100%; white-space: nowrap; scrollbar-width: none; }
        /* that there is more is seen at the end */
        header nav { padding-inline-end: 24px; mask-image: linear-gradient(to right, #000 calc(100% - 28px), transparent); }
      }
      @media print { header { display: none; } }
      .notice { padding: 8px var(--gap); background: var(--watch-ground); color: var(--watch); }
    `,
  ];

  readonly #clock = new ServerClock();
  readonly #api = new Api(this.#clock);
  readonly #live = new Live(streamsOf(this.#api));
  readonly #router = new Router(window);
  readonly #preferences = new Preferences(window.localStorage, document.documentElement);
  readonly #board = new AlertBoard(this.#api, this.#live);
  #retry: ReturnType<typeof setTimeout> | null = null;
  #path = "";
  @state() private page: Page | null = null;
  @state() private problem = "";
  @state() private mustSignIn = false;

  constructor() {
    super();
    new Follow(this, () => this.#board, "changed");
    new Follow(this, () => this.#preferences, "changed");
    this.#router.addEventListener("moved", () => this.#moved());
    this.#live.on("definition", () => void this.#load());
    this.#live.on("connection", (connection) => {
      if (connection === "refused") this.mustSignIn = true;
    });
    document.addEventListener("visibilitychange", () => this.#live.show(!document.hidden));
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#live.show(!document.hidden);
    void this.#load();
  }

  override render(): TemplateResult {
    if (this.mustSignIn) return html`<main><lk-sign-in .api=${this.#api} @signed-in=${this.#signedIn}></lk-sign-in></main>`;
    const route = this.#router.route;
    if (this.page === null) return html`<main><p role="status">${this.problem || "Loading…"}</p></main>`;
    if (route.view === "tv") return html`<main id="main">${view(this.page, route)}</main>`;
    return html`
      <header>
        <button class="skip" @click=${this.#skip}>To the content</button>
        <a class="brand" href="/">livekpi</a>
        <nav aria-label="Views">${this.#links(route.view, route.name)}</nav>
        <div class="end">
          <lk-connection .page=${this.page}></lk-connection>
          <lk-display .preferences=${this.#preferences}></lk-display>
        </div>
      </header>
      ${this.problem ? html`<p class="notice" role="status">${this.problem}</p>` : nothing}
      <main id="main" tabindex="-1">${view(this.page, route)}</main>
    `;
  }

  protected override updated(_changed: PropertyValues): void {
    const { view: shown, name } = this.#router.route;
    const firing = this.#board.alerts.filter((alert) => alert.status === "firing").length;
    const title = this.page?.kpis.find((kpi) => kpi.kpi === name)?.title ?? name;
    document.title = `${firing ? `(${firing}) ` : ""}${title || ([...FIRST, ...LAST].find(([, each]) => each === shown)?.[2] ?? "livekpi")} · livekpi`;
    this.#showLink();
  }

  /** On a narrow screen the links are a line to scroll: the one of a view that was opened is brought to its middle. */
  #showLink(): void {
    const current = this.renderRoot.querySelector<HTMLElement>("nav [aria-current]");
    const list = current?.parentElement;
    if (current === null || !list || location.pathname === this.#path) return;
    this.#path = location.pathname;
    list.scrollLeft = current.offsetLeft - list.offsetLeft - (list.clientWidth - current.offsetWidth) / 2;
  }

  #links(shown: ViewName, name: string): TemplateResult[] {
    const firing = this.#board.alerts.filter((alert) => alert.status === "firing").length;
    const count = firing ? html` <span class="count">${firing}<span class="hidden-text"> firing</span></span>` : nothing;
    const current = (is: boolean): "page" | typeof nothing => (is ? "page" : nothing);
    const link = ([path, each, title]: Link): TemplateResult =>
      html`<a href=${path} aria-current=${current(each === shown)}>${title}${each === "alerts" ? count : nothing}</a>`;
    const dashboards = (this.page?.dashboards ?? []).map(
      (each) =>
        html`<a href="/dashboard/${encodeURIComponent(each.name)}" aria-current=${current(shown === "dashboard" && name === each.name)}
          >${each.title}</a>`,
    );
    return [...FIRST.map(link), ...dashboards, ...LAST.map(link)];
  }

  #skip(): void {
    this.renderRoot.querySelector<HTMLElement>("#main")?.focus();
  }

  #moved(): void {
    this.requestUpdate();
  }

  #signedIn(): void {
    this.mustSignIn = false;
    this.#live.retry();
    void this.#load();
  }

  /** What is known beforehand: the KPIs, the dashboards, what the viewer may do. Tried until it is there. */
  async #load(): Promise<void> {
    if (this.#retry !== null) clearTimeout(this.#retry);
    try {
      const session = await this.#api.session();
      if (session.needed && !session.scopes.includes("read")) {
        this.mustSignIn = true;
        return;
      }
      const [kpis, { dashboards }] = await Promise.all([this.#api.kpis(), this.#api.dashboards(), this.#board.load()]);
      const locales = usableLocales(navigator.languages);
      this.page = {
        api: this.#api,
        live: this.#live,
        clock: this.#clock,
        numbers: new Numbers(locales),
        locales,
        preferences: this.#preferences,
        router: this.#router,
        board: this.#board,
        kpis,
        dashboards,
        scopes: session.scopes,
      };
      this.problem = "";
      this.#live.open();
    } catch (error) {
      this.problem = error instanceof ServerError ? error.message : "This page could not be read from the server.";
      this.#retry = setTimeout(() => void this.#load(), RETRY_MS);
    }
  }
}
