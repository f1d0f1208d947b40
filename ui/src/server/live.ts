/**
 * The page's one stream: what is wanted on screen at present, told as it changes.
 *
 * Wants come and go as views do; the stream is opened anew with those there are, and so it is after a break and when a hidden page
 * is looked at again. Each time whoever wants something is told so (`opened`), since what changed meanwhile must be asked for.
 */

import { ServerError } from "./api.ts";
import type { Heard, Streams } from "./streams.ts";
import type { Alert, Annotation, Point, Want } from "./types.ts";

const GATHER_MS = 30;
/** How long it is waited for somebody who wants something. */
const IDLE_MS = 300;
const HIDDEN_MS = 5_000;
const BACKOFF_MS = [500, 1_000, 2_000, 5_000, 10_000] as const;

export type Connection = "connecting" | "live" | "broken" | "refused" | "paused";

export interface Watcher {
  /** A stream stands: all that a commit after this one changes will be told. */
  opened(commit: number): void;
  /** Points that a commit changed. */
  changed(commit: number, points: readonly Point[]): void;
  /** More changed than is told: it must be asked for. */
  missed(): void;
}

export interface LiveEvents {
  connection: Connection;
  alert: Alert;
  annotation: Annotation;
  /** Another definition is shown than before, or what is known of it is other. */
  definition: null;
  /** A commit that changed something on screen; its time at the server, in ms. */
  commit: number;
}

interface Stream {
  readonly abort: AbortController;
  readonly wants: readonly string[];
}

/** Which definition is shown: another text where it is another one. */
interface Definition {
  readonly definition: string;
}

interface PointsMessage {
  readonly commit: number;
  /** When the commit was; null where the server has not committed anything since it started. */
  readonly at: string | null;
  readonly points: readonly (Point & { readonly want?: number })[];
  /** Wants of which more changed than is told. */
  readonly incomplete?: readonly number[];
}

export class Live extends EventTarget {
  #watchers = new Map<string, Set<Watcher>>();
  #stream: Stream | null = null;
  #opening: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #hiding: ReturnType<typeof setTimeout> | null = null;
  #failures = 0;
  #shown = true;
  #connection: Connection = "connecting";
  #since = 0;
  /** Whether nothing was heard for a while before the stream that is to come. */
  #broken = false;
  /** Which definition is shown; null before that was said. */
  #definition: string | null = null;

  constructor(private readonly streams: Streams) {
    super();
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** When the connection became what it is, by this machine's clock, in ms. */
  get since(): number {
    return this.#since;
  }

  /** Tells `watcher` of what is wanted until the returned function is called. */
  watch(want: Want, watcher: Watcher): () => void {
    const key = JSON.stringify(want);
    const those = this.#watchers.get(key) ?? new Set();
    those.add(watcher);
    this.#watchers.set(key, those);
    if (!this.#stream?.wants.includes(key)) this.#soon(GATHER_MS);
    return () => {
      those.delete(watcher);
      if (those.size === 0 && this.#watchers.get(key) === those) this.#watchers.delete(key);
      // a want too many costs little; the stream is opened anew with the next that is missing
    };
  }

  /** Calls `listener` at each such event until the returned function is called. */
  on<K extends keyof LiveEvents>(name: K, listener: (detail: LiveEvents[K]) => void): () => void {
    const handler = (event: Event): void => listener((event as CustomEvent<LiveEvents[K]>).detail);
    this.addEventListener(name, handler);
    return () => this.removeEventListener(name, handler);
  }

  /** Whether the page is looked at: a hidden one costs nothing. */
  show(shown: boolean): void {
    if (this.#hiding !== null) clearTimeout(this.#hiding);
    this.#hiding = null;
    if (shown && !this.#shown) {
      this.#shown = true;
      this.#soon(0);
    } else if (!shown) {
      this.#hiding = setTimeout(() => this.#pause(), HIDDEN_MS);
    }
  }

  /** Opens the stream unless somebody wants something soon: a view without numbers is told of alerts all the same. */
  open(): void {
    if (this.#stream === null && this.#opening === null && this.#timer === null) this.#soon(IDLE_MS);
  }

  /** Opens the stream at once, as after signing in. */
  retry(): void {
    this.#failures = 0;
    this.#soon(0);
  }

  close(): void {
    for (const timer of [this.#timer, this.#hiding]) if (timer !== null) clearTimeout(timer);
    this.#opening?.abort();
    this.#stream?.abort.abort();
    this.#stream = null;
  }

  #pause(): void {
    this.#shown = false;
    this.#broken = true;
    this.close();
    this.#become("paused");
  }

  #soon(wait_ms: number): void {
    if (!this.#shown) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#open(), wait_ms);
  }

  async #open(): Promise<void> {
    this.#timer = null;
    this.#opening?.abort();
    const abort = new AbortController();
    this.#opening = abort;
    const stream = { abort, wants: [...this.#watchers.keys()] };
    if (this.#stream === null) this.#become("connecting");
    try {
      const wants = stream.wants.map((key) => JSON.parse(key) as Want);
      await this.streams.hear(wants, abort.signal, (what) => this.#take(what, stream));
    } catch (error) {
      if (!abort.signal.aborted) this.#failed(error, abort);
    }
  }

  #failed(error: unknown, abort: AbortController): void {
    if (this.#stream !== null && this.#stream.abort !== abort && this.#opening !== abort) return; // of a stream that was replaced
    this.#stream?.abort.abort();
    this.#stream = null;
    this.#broken = true;
    const refused = error instanceof ServerError && (error.status === 401 || error.status === 403);
    this.#become(refused ? "refused" : "broken");
    if (refused) return; // until somebody signs in
    const wait_ms = BACKOFF_MS[Math.min(this.#failures, BACKOFF_MS.length - 1)] ?? 10_000;
    this.#failures += 1;
    this.#soon(wait_ms);
  }

  #take({ event, data }: Heard, stream: Stream): void {
    switch (event) {
      case "hello":
        this.#stands(stream, (data as { commit: number }).commit);
        this.#shows(data as Definition);
        break;
      case "definition":
        this.#shows(data as Definition);
        break;
      case "points":
        this.#spread(data as PointsMessage, stream);
        break;
      case "alert":
      case "annotation":
        this.dispatchEvent(new CustomEvent(event, { detail: data }));
    }
  }

  #stands(stream: Stream, commit: number): void {
    const missed = this.#broken; // time may have made points final meanwhile, without a commit
    this.#broken = false;
    if (this.#stream !== stream) this.#stream?.abort.abort(); // one that is shared may say hello again
    this.#stream = stream;
    if (this.#opening === stream.abort) this.#opening = null;
    this.#failures = 0;
    this.#become("live");
    for (const watcher of stream.wants.flatMap((key) => [...(this.#watchers.get(key) ?? [])])) {
      if (missed) watcher.missed();
      else watcher.opened(commit);
    }
  }

  #shows({ definition }: Definition): void {
    const before = this.#definition;
    this.#definition = definition;
    if (before !== null && before !== definition) this.dispatchEvent(new CustomEvent("definition", { detail: null }));
  }

  #spread(message: PointsMessage, stream: Stream): void {
    const of = new Map<number, Point[]>();
    for (const point of message.points) {
      const index = point.want ?? 0;
      const those = of.get(index);
      if (those === undefined) of.set(index, [point]);
      else those.push(point);
    }
    for (const [index, points] of of) {
      const key = stream.wants[index];
      for (const watcher of (key !== undefined && this.#watchers.get(key)) || []) watcher.changed(message.commit, points);
    }
    for (const index of message.incomplete ?? []) {
      for (const watcher of this.#watchers.get(stream.wants[index] ?? "") ?? []) watcher.missed();
    }
    if (message.at !== null) this.dispatchEvent(new CustomEvent("commit", { detail: Date.parse(message.at) }));
  }

  #become(connection: Connection): void {
    if (this.#connection === connection) return;
    this.#connection = connection;
    this.#since = Date.now();
    this.dispatchEvent(new CustomEvent("connection", { detail: connection }));
  }
}
