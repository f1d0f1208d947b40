/** The server's time, since a viewer's clock may be wrong by any amount. */

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

export class ServerClock implements Clock {
  #ahead_ms: number | null = null;

  /** `local` says what this machine takes the time to be, in ms since 1970. */
  constructor(private readonly local: () => number = Date.now) {}

  now(): number {
    return this.local() + (this.#ahead_ms ?? 0);
  }

  /** Takes in what the server's time was when it answered, NaN where that can't be read; `sent` and `came` are this machine's, around the answer. */
  hear(server_ms: number, sent: number, came: number): void {
    const ahead = server_ms - (sent + came) / 2;
    if (!Number.isFinite(ahead)) return; // something on the way wrote a date of its own
    // the server tells whole seconds: what differs by less is no news
    if (this.#ahead_ms === null || Math.abs(ahead - this.#ahead_ms) > 1_500) this.#ahead_ms = Math.abs(ahead) < 1_500 ? 0 : ahead;
  }
}
