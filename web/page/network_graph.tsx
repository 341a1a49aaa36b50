/** The last two minutes of the network: delay as a line, loss as marks under it, jitter in words. */

import type { NetworkSample } from '../worker/messages.js';
import type { Words } from './words.js';

const WIDTH = 120;
const HEIGHT = 32;
/** The highest delay that is drawn at full height, at least. */
const LEAST_SCALE_MS = 100;

export function NetworkGraph({
  samples,
  words,
}: {
  readonly samples: readonly NetworkSample[];
  readonly words: Words;
}) {
  const last = samples.findLast(({ delayMs }) => delayMs !== null);
  const scale = Math.max(LEAST_SCALE_MS, ...samples.map(({ delayMs }) => delayMs ?? 0));
  const first = WIDTH - samples.length;
  const points = samples.flatMap(({ delayMs }, at) =>
    delayMs === null ? [] : [`${first + at},${(HEIGHT - (delayMs / scale) * (HEIGHT - 4)).toFixed(1)}`],
  );
  const said = last
    ? `${words.delay} ${Math.round(last.delayMs ?? 0)} ms · ${words.jitter} ${Math.round(last.jitterMs ?? 0)} ms · ${words.loss} ${(100 * last.loss).toFixed(1)} %`
    : words.nobodySpoke;
  return (
    <figure class="network" aria-label={words.network}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <polyline points={points.join(' ')} />
        {samples.map(({ loss }, at) =>
          loss > 0 ? (
            <rect
              key={at}
              x={first + at}
              y={HEIGHT - 3 - 20 * Math.min(1, loss)}
              width="1"
              height={3 + 20 * Math.min(1, loss)}
            />
          ) : null,
        )}
      </svg>
      <figcaption>{said}</figcaption>
    </figure>
  );
}
