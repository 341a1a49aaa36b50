/** The embedded Steam's suite (test/native/suite/), one case per function, signal and promise, in this process. */

import t from 'tap';
import { FUNCTION_CASES } from '../native/suite/function_cases.js';
import { openers } from '../native/suite/openers.js';
import { SIGNAL_CASES } from '../native/suite/signal_cases.js';
import { TYPED_CASES } from '../native/suite/typed_cases.js';

const open = await openers.embedded();
if (typeof open === 'string') throw new Error(open);

for (const cases of [FUNCTION_CASES, SIGNAL_CASES, TYPED_CASES]) {
  for (const [name, run] of Object.entries(cases)) {
    t.test(name, async (t) => {
      const bench = open();
      t.teardown(() => bench.steam.close());
      await run(bench);
      t.pass('each of its assertions held');
    });
  }
}
