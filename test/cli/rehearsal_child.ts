/** Rehearses the parts in its first argument, and says what became of it. Ends by itself or not at all. */

import { type Part, rehearse } from '../../cli/rehearsal.js';

try {
  await rehearse({ parts: JSON.parse(process.argv[2] ?? '[]') as Part[] });
  console.log('resolved');
} catch (thrown) {
  console.log(String(thrown));
}
