/** Which view the address names, and moving between them without loading the page anew. */

export type ViewName = "overview" | "kpi" | "dashboard" | "alerts" | "dead-letters" | "status" | "tv" | "unknown";

export interface Route {
  readonly view: ViewName;
  /** The KPI's or dashboard's name, where the view is of one. */
  readonly name: string;
  /** What the view is to show; a link with the same reproduces it. */
  readonly query: URLSearchParams;
}

const PLAIN: Readonly<Record<string, ViewName>> = {
  "/": "overview",
  "/alerts": "alerts",
  "/dead-letters": "dead-letters",
  "/status": "status",
  "/tv": "tv",
};

export function routeOf(url: URL): Route {
  const plain = PLAIN[url.pathname];
  if (plain !== undefined) return { view: plain, name: "", query: url.searchParams };
  const [, view, name, ...rest] = url.pathname.split("/");
  const decoded = rest.length === 0 ? decode(name ?? "") : "";
  if ((view === "kpi" || view === "dashboard") && decoded) return { view, name: decoded, query: url.searchParams };
  return { view: "unknown", name: "", query: url.searchParams };
}

/** The text of a part of an address; empty where it is none. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

/** The address of a KPI's own view. */
export function kpiPath(kpi: string, query: Readonly<Record<string, string>> = {}): string {
  const text = new URLSearchParams(query).toString();
  return `/kpi/${encodeURIComponent(kpi)}${text && `?${text}`}`;
}

export class Router extends EventTarget {
  constructor(private readonly window: Window) {
    super();
    window.addEventListener("popstate", () => this.#moved());
    window.document.addEventListener("click", (event) => this.#clicked(event));
  }

  get route(): Route {
    return routeOf(new URL(this.window.location.href));
  }

  go(path: string): void {
    this.window.history.pushState(null, "", path);
    this.#moved();
  }

  /** Sets parameters of the view that is shown; an empty one goes away. The way back skips this where `replace` is true. */
  set(parameters: Readonly<Record<string, string | null>>, replace = true): void {
    const url = new URL(this.window.location.href);
    for (const [name, value] of Object.entries(parameters)) {
      if (value === null || value === "") url.searchParams.delete(name);
      else url.searchParams.set(name, value);
    }
    const path = url.pathname + url.search;
    if (replace) this.window.history.replaceState(null, "", path);
    else this.window.history.pushState(null, "", path);
    this.#moved();
  }

  #moved(): void {
    this.dispatchEvent(new Event("moved"));
  }

  /** Links to the page's own views are followed here. */
  #clicked(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.composedPath().find((each): each is HTMLAnchorElement => each instanceof HTMLAnchorElement);
    if (!link?.href || link.target || link.hasAttribute("download") || link.origin !== this.window.location.origin) return;
    const url = new URL(link.href);
    if (routeOf(url).view === "unknown") return;
    event.preventDefault();
    if (url.href !== this.window.location.href) this.go(url.pathname + url.search);
  }
}
