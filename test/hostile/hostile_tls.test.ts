/** The same for the port with TLS: what is no TLS, what is old, and handshakes without end. */

import t from 'tap';
import { runAttacks } from './run_attacks.js';

await runAttacks(t, 'tls');
