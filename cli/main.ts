#!/usr/bin/env node
/**
 * The entry point of `hotmic`. Loading the program takes up to a second, so what must not wait for that comes first: the signals that
 * a service manager may send to a relay that is still starting.
 */

import { catchStartSignals } from './start_signals.js';

if (process.argv[2] === 'relay') catchStartSignals();
await import('./program.js');
