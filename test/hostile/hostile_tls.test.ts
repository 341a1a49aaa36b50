/** The same for the port with TLS: other protocols, old versions, and handshakes without end. */

import t from 'tap';
import { runAttacks } from './run_attacks.js';

await runAttacks(t, 'tls');
