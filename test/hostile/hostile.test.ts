/** A relay that is attacked in every way that we know, as an operator runs it, while honest people talk. */

import t from 'tap';
import { runAttacks } from './run_attacks.js';

await runAttacks(t, 'plain');
