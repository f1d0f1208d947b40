/** The views by their names. */

import { html, type TemplateResult } from "lit";
import type { Page } from "./page.ts";
import type { Route, ViewName } from "./router.ts";
import "../overview/overview.ts";
import "../kpi/kpi-view.ts";
import "../dashboards/dashboard-view.ts";
import "../dashboards/tv.ts";
import "../alerts/alerts-view.ts";
import "../letters/letters-view.ts";
import "../status/status-view.ts";

const VIEWS: Readonly<Record<ViewName, (page: Page, route: Route) => TemplateResult>> = {
  overview: (page) => html`<lk-overview .page=${page}></lk-overview>`,
  kpi: (page, route) => html`<lk-kpi .page=${page} .route=${route}></lk-kpi>`,
  dashboard: (page, route) => html`<lk-dashboard .page=${page} .route=${route}></lk-dashboard>`,
  alerts: (page, route) => html`<lk-alerts .page=${page} .route=${route}></lk-alerts>`,
  "dead-letters": (page, route) => html`<lk-letters .page=${page} .route=${route}></lk-letters>`,
  status: (page) => html`<lk-status .page=${page}></lk-status>`,
  tv: (page, route) => html`<lk-tv .page=${page} .route=${route}></lk-tv>`,
  unknown: () => html`<h1>There is no such page</h1><p><a href="/">To the overview</a></p>`,
};

export function view(page: Page, route: Route): TemplateResult {
  return VIEWS[route.view](page, route);
}
