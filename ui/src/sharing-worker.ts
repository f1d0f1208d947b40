/** What the pages of one browser share: for each token one stream. */

import { Api } from "./server/api.ts";
import { ServerClock } from "./server/clock.ts";
import type { Answered, Joining, Said } from "./server/shared.ts";
import { Sharing } from "./server/sharing.ts";
import { OwnStreams } from "./server/streams.ts";

const LIFE_MS = 10_000;
/** Nothing tells that a page is gone without a word; one that has not answered so many signs of life is. */
const MOST_UNANSWERED = 6;

const sharings = new Map<string | null, Sharing>();

self.addEventListener("connect", (event) => {
  const [port] = (event as MessageEvent).ports;
  if (port === undefined) return;
  let unanswered = 0;
  let leave = (): void => port.close();
  const say = (said: Said): void => port.postMessage(said);
  port.onmessage = ({ data }: MessageEvent<Joining | Answered>) => {
    if (data === "leave") leave();
    else if (data === "here") unanswered = 0;
    else leave = join(data);
  };
  const join = ({ token, wants }: Joining): (() => void) => {
    const sharing = sharings.get(token) ?? new Sharing(new OwnStreams(new Api(new ServerClock(), token)));
    sharings.set(token, sharing);
    const member = { wants, tell: say };
    const life = setInterval(() => {
      unanswered += 1;
      if (unanswered > MOST_UNANSWERED) leave();
      else say("here");
    }, LIFE_MS);
    say("here");
    sharing.join(member);
    return () => {
      clearInterval(life);
      sharing.leave(member);
      port.close();
    };
  };
});
