/**
 * One Steam through all cases, in a separate process, because a process has one Steam: `node child.js embedded`. Prints a line of
 * JSON a case.
 */

import { messageOf } from '../../../voice/error.js';
import { FUNCTION_CASES } from './function_cases.js';
import { openers, type SteamUnderTest } from './openers.js';
import { SIGNAL_CASES } from './signal_cases.js';
import { TYPED_CASES } from './typed_cases.js';

/** What the parent reads. */
export interface CaseResult {
  readonly kind: 'function' | 'signal' | 'typed';
  readonly name: string;
  /** Null when it holds. */
  readonly failure: string | null;
}

const [subject = 'embedded', only] = process.argv.slice(2);
const open = await openers[subject as SteamUnderTest]();
if (typeof open === 'string') {
  console.log(JSON.stringify({ skipped: open }));
  process.exit();
}
const cases = { function: FUNCTION_CASES, signal: SIGNAL_CASES, typed: TYPED_CASES };

for (const kind of ['function', 'signal', 'typed'] as const) {
  for (const [name, run] of Object.entries(cases[kind])) {
    if (only !== undefined && only !== name) continue;
    const bench = open();
    let failure: string | null = null;
    try {
      await run(bench);
    } catch (thrown) {
      failure = thrown instanceof Error && only !== undefined ? String(thrown.stack) : messageOf(thrown);
    }
    try {
      bench.steam.close();
    } catch (thrown) {
      failure ??= `closing: ${messageOf(thrown)}`;
    }
    console.log(JSON.stringify({ kind, name, failure } satisfies CaseResult));
  }
}
