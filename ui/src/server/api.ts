/** The server's API, a method a question. Every failure is a ServerError that can be shown to a person. */

import type { ServerClock } from "./clock.ts";
import type { Alert, Annotation, Dashboards, Kpi, Pace, Points, Source, Want } from "./types.ts";

export class ServerError extends Error {
  /** `status` is HTTP's, 0 where the server did not answer at all. */
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

export interface Span {
  /** ISO 8601, or relative to now such as `-1h`. */
  readonly from: string;
  readonly to?: string;
}

export interface Session {
  readonly needed: boolean;
  readonly scopes: readonly string[];
}

type Parameters = Readonly<Record<string, string | number | readonly string[] | undefined>>;

export class Api {
  /** `token` goes into each request's Authorization header; without one the session's cookie counts. */
  constructor(
    private readonly clock: ServerClock,
    private readonly token: string | null = null,
    private readonly ask: typeof fetch = (input, init) => fetch(input, init),
  ) {}

  async kpis(): Promise<readonly Kpi[]> {
    return (await this.get<{ kpis: Kpi[] }>("/v1/kpis")).kpis;
  }

  /** `extra` is what a point may have beside its value: `band`, `prediction`. */
  points(want: Want, span: Span, options: { compare?: string; extra?: readonly string[] } = {}): Promise<Points> {
    const { kpi, ...rest } = want;
    return this.get(`/v1/kpis/${encodeURIComponent(kpi)}`, { ...rest, ...span, compare: options.compare, with: options.extra });
  }

  async pace(kpi: string, at?: string): Promise<Pace | null> {
    return (await this.get<{ pace: Pace[] }>(`/v1/kpis/${encodeURIComponent(kpi)}/pace`, { at })).pace.at(-1) ?? null;
  }

  async alerts(): Promise<readonly Alert[]> {
    return (await this.get<{ alerts: Alert[] }>("/v1/alerts")).alerts;
  }

  dashboards(signal?: AbortSignal): Promise<Dashboards> {
    return this.get("/v1/dashboards", {}, signal);
  }

  async sources(): Promise<readonly Source[]> {
    return (await this.get<{ sources: Source[] }>("/v1/sources")).sources;
  }

  async annotations(span: Span, kpi?: string): Promise<readonly Annotation[]> {
    return (await this.get<{ annotations: Annotation[] }>("/v1/annotations", { ...span, kpi })).annotations;
  }

  session(): Promise<Session> {
    return this.get("/v1/session");
  }

  async get<T>(path: string, parameters: Parameters = {}, signal?: AbortSignal): Promise<T> {
    const response = await this.send(path + query(parameters), { headers: this.headers(), ...(signal && { signal }) });
    return (await response.json()) as T;
  }

  /** Sends what changes something; the answer's JSON, or null where it has none. */
  async change<T>(method: "POST" | "DELETE", path: string, body?: unknown): Promise<T> {
    const headers = { ...this.headers(), ...(body !== undefined && { "Content-Type": "application/json" }) };
    const response = await this.send(path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
    const text = await response.text();
    return (text ? JSON.parse(text) : null) as T;
  }

  /** Opens the stream; the caller reads the body, and ends it by the signal. */
  stream(wants: readonly Want[], alerts: boolean, signal: AbortSignal): Promise<Response> {
    // an empty one asks for no numbers; none at all would ask for those of all KPIs
    const asked = wants.length === 0 ? [""] : wants.map((want) => query({ ...want }).slice(1));
    return this.send(`/v1/stream${query({ want: asked, alerts: alerts ? "true" : undefined }, true)}`, { headers: this.headers(), signal });
  }

  private headers(): Record<string, string> {
    return this.token === null ? {} : { Authorization: `Bearer ${this.token}` };
  }

  private async send(path: string, init: RequestInit): Promise<Response> {
    const sent = Date.now();
    const response = await this.ask(path, { credentials: "same-origin", cache: "no-store", ...init }).catch((error: unknown) => {
      if (init.signal?.aborted) throw error;
      throw new ServerError("The server can't be reached.", 0);
    });
    const date = response.headers.get("date");
    if (date !== null) this.clock.hear(Date.parse(date), sent, Date.now());
    if (!response.ok) throw new ServerError(await reason(response), response.status);
    return response;
  }
}

/** `?a=1&b=x,y`; with `repeat` lists become repeated names. What is undefined or empty is left out. */
export function query(parameters: Parameters, repeat = false): string {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined || value === "" || (Array.isArray(value) && value.length === 0)) continue;
    if (Array.isArray(value) && repeat) for (const each of value) found.append(name, String(each));
    else found.append(name, String(value));
  }
  const text = found.toString();
  return text === "" ? "" : `?${text}`;
}

/** What a problem document (RFC 9457) says. */
async function reason(response: Response): Promise<string> {
  const text = await response.text().catch(() => "");
  try {
    const problem = JSON.parse(text) as { detail?: string; title?: string };
    return problem.detail ?? problem.title ?? `The server answered ${response.status}.`;
  } catch {
    return `The server answered ${response.status}.`;
  }
}
