/** Work that never ends, for test/cli/stop_signal.test.ts: prints a line when it runs and one when it is asked to stop. */

import { MEMBER, untilStopped } from '../../cli/stop_signal.js';

await untilStopped(
  (stop) =>
    new Promise(() => {
      setInterval(() => undefined, 60_000);
      stop.addEventListener('abort', () => console.log('stopping'));
      console.log('running');
    }),
  { ...MEMBER, withinMs: Number(process.argv[2]) },
);
