/** The lines' colours and dashes as styles; see `dashes.ts`. */

import { css } from "lit";

/** Each has a contrast of at least 3 on the surface. */
export const palette = css`
  :host {
    --line-0: light-dark(#0b5cb8, #7ab8ff);
    --line-1: light-dark(#b35900, #f2a65a);
    --line-2: light-dark(#00755a, #45cfa3);
    --line-3: light-dark(#a23b7d, #ec9fce);
    --line-4: light-dark(#2e8bbd, #6fd3f2);
    --line-5: light-dark(#7d6500, #e3d04f);
    --line-6: light-dark(#c03a1f, #ff8d6b);
    --line-7: light-dark(#5b3fa8, #b9a4ff);
    --line-rest: light-dark(#5f6b78, #a7b5c4);
  }
  .line-0 { stroke: var(--line-0); }
  .line-1 { stroke: var(--line-1); stroke-dasharray: 8 4; }
  .line-2 { stroke: var(--line-2); stroke-dasharray: 3 3; }
  .line-3 { stroke: var(--line-3); stroke-dasharray: 9 3 2 3; }
  .line-4 { stroke: var(--line-4); stroke-dasharray: 14 4; }
  .line-5 { stroke: var(--line-5); stroke-dasharray: 5 5; }
  .line-6 { stroke: var(--line-6); stroke-dasharray: 9 3 2 3 2 3; }
  .line-7 { stroke: var(--line-7); stroke-dasharray: 2 5; }
  .line-rest { stroke: var(--line-rest); }
`;
