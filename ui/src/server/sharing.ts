/**
 * One stream for several pages: what any of them wants, in one question, and of what is heard to each what it wants.
 *
 * HTTP/1.1 allows a browser six connections to a server, so pages with a stream each would leave none for what they ask beside. Pages come
 * and go, and with them wants: one that is new opens a stream with all there are, which takes the place of the one before as soon as it stands.
 */

import { ServerError } from "./api.ts";
import type { Heard, Streams } from "./streams.ts";
import type { Want } from "./types.ts";

const GATHER_MS = 20;
/** As many as the server takes of one stream. */
const MOST_WANTS = 100;
/** What the server answers where it can't make sense of what is wanted, or may not tell it. */
const FAULTS: readonly number[] = [400, 404, 403];

/** What a page is told: an event; why there is no stream; or that what it wants has no room, so that it has to open its own. */
export type Told = Heard | { readonly failed: string; readonly status: number } | "alone";

export interface Member {
  /** As JSON. */
  readonly wants: readonly string[];
  readonly tell: (told: Told) => void;
}

/** A stream to the server. */
interface Line {
  readonly abort: AbortController;
  readonly wants: readonly string[];
  /** The last commit that it told of; all that a later one changes it will tell. -1 before it stands. */
  commit: number;
  definition: unknown;
}

interface PointsMessage {
  readonly commit: number;
  readonly points: readonly { readonly want?: number }[];
  readonly incomplete?: readonly number[];
}

export class Sharing {
  /** Each with the line that it has been greeted for; null while there is none for it. */
  #members = new Map<Member, Line | null>();
  #stands: Line | null = null;
  #opening: Line | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly streams: Streams) {}

  join(member: Member): void {
    if (this.#wanted(member).length > MOST_WANTS) {
      member.tell("alone");
      return;
    }
    this.#members.set(member, null);
    if (this.#stands !== null && has(this.#stands, member)) this.#greet(member, this.#stands);
    else if (this.#opening === null || !has(this.#opening, member)) this.#soon();
  }

  leave(member: Member): void {
    this.#members.delete(member);
    if (this.#members.size > 0) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#stands?.abort.abort();
    this.#opening?.abort.abort();
    this.#stands = this.#opening = null;
  }

  #wanted(...more: readonly Member[]): readonly string[] {
    return [...new Set([...this.#members.keys(), ...more].flatMap(({ wants }) => wants))];
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => this.#open(), GATHER_MS);
  }

  #open(): void {
    this.#timer = null;
    this.#opening?.abort.abort();
    const line: Line = { abort: new AbortController(), wants: this.#wanted(), commit: -1, definition: undefined };
    this.#opening = line;
    const wants = line.wants.map((want) => JSON.parse(want) as Want);
    this.streams
      .hear(wants, line.abort.signal, (what) => this.#take(what, line))
      .catch((error: unknown) => {
        if (!line.abort.signal.aborted) this.#failed(error, line);
      });
  }

  #take({ event, data }: Heard, line: Line): void {
    if (event === "hello") this.#begin(line, data as { commit: number; definition: unknown });
    if (event === "hello" || line !== this.#stands) return;
    if (event === "definition") line.definition = (data as { definition: unknown }).definition;
    if (event === "points") line.commit = Math.max(line.commit, (data as PointsMessage).commit);
    for (const [member, of] of this.#members) {
      if (of !== line) continue;
      const told = event === "points" ? part(data as PointsMessage, line, member) : data;
      if (told !== null) member.tell({ event, data: told });
    }
  }

  /** A line stands: it takes the place of the one before. */
  #begin(line: Line, { commit, definition }: { commit: number; definition: unknown }): void {
    Object.assign(line, { commit, definition });
    this.#stands?.abort.abort();
    this.#stands = line;
    if (this.#opening === line) this.#opening = null;
    for (const member of [...this.#members.keys()]) {
      if (has(line, member)) this.#greet(member, line);
      else this.#miss(member);
    }
  }

  /** One that came while the line was opened, and wants something else. */
  #miss(member: Member): void {
    this.#members.set(member, null);
    this.#soon();
  }

  #greet(member: Member, line: Line): void {
    this.#members.set(member, line);
    member.tell({ event: "hello", data: { commit: line.commit, definition: line.definition } });
  }

  /** Those who wait for a line, or heard one, are told of its end; they may come again. */
  #failed(error: unknown, line: Line): void {
    const of = this.#stands === line ? line : null;
    if (this.#stands === line) this.#stands = null;
    if (this.#opening === line) this.#opening = null;
    const those = [...this.#members].flatMap(([member, greeted]) => (greeted === of ? [member] : []));
    const status = error instanceof ServerError ? error.status : 0;
    // what one of them wants may be what the server refuses: by themselves, only that one is in its own way
    const told = those.length > 1 && FAULTS.includes(status) ? "alone" : { failed: error instanceof Error ? error.message : String(error), status };
    for (const member of those) {
      this.leave(member);
      member.tell(told);
    }
  }
}

function has(line: Line, { wants }: Member): boolean {
  return wants.every((want) => line.wants.includes(want));
}

/** What a message says of what a member wants, by the member's own places; null where that is nothing. */
function part(message: PointsMessage, line: Line, member: Member): PointsMessage | null {
  const own = new Map(member.wants.map((want, place) => [line.wants.indexOf(want), place]));
  const points = message.points.flatMap((point) => {
    const want = own.get(point.want ?? 0);
    return want === undefined ? [] : [{ ...point, want }];
  });
  const incomplete = (message.incomplete ?? []).flatMap((place) => own.get(place) ?? []);
  return points.length + incomplete.length > 0 ? { ...message, points, incomplete } : null;
}
