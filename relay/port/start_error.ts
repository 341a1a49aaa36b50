/**
 * Why a relay did not start, in words that say what to do: uWebSockets is missing or does not load, or the
 * port is not to be had.
 */

import { codeOf, HotmicError, messageOf } from '../../voice/error.js';

/** The error for a start in a worker thread. */
export function threadError(): HotmicError {
  return new HotmicError(
    'ERR_HOTMIC_THREAD',
    'Cannot start the relay in a worker thread: if that thread ended before the relay is closed, uWebSockets would abort the whole process. ' +
      'Start it in the main thread, or in a process of its own (child_process.fork)',
  );
}

/** The error for what `import('uWebSockets.js')` threw. */
export function missingError(thrown: unknown, nodeVersion: string): HotmicError {
  return new HotmicError(
    'ERR_HOTMIC_RELAY_MISSING',
    `Cannot start the relay: ${missingReason(thrown, nodeVersion)}`,
    {
      cause: thrown,
    },
  );
}

function missingReason(thrown: unknown, nodeVersion: string): string {
  const message = messageOf(thrown).replace(/\s+/g, ' ');
  const code = codeOf(thrown);
  const isAbsent = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
  if (isAbsent && /uWebSockets\.js/.test(message)) {
    return (
      'uWebSockets.js is not installed, wants this optional dependency: ' +
      'run npm install without --omit=optional'
    );
  }
  const glibc = /GLIBC_[0-9.]+/.exec(message);
  if (glibc) {
    return (
      `uWebSockets.js for Node ${nodeVersion} wants ${glibc[0]}, which this system does not have ` +
      '(the binaries for Node 22 and 24 want 2.38; Debian 12 has 2.36): use Node 20, or Debian 13 or later'
    );
  }
  return (
    `uWebSockets.js does not load in Node ${nodeVersion}, ` +
    `wants Node 20, 22 or 24 on glibc Linux, macOS or Windows: ${message}`
  );
}

/**
 * The error for a port that could not be listened on; `thrown` is what the system says of it, null when it
 * says nothing, `which` what the operator calls the port.
 */
export function listenError(
  thrown: unknown,
  host: string,
  port: number,
  which: 'port' | 'operations port' | 'admin port' = 'port',
): HotmicError {
  if (codeOf(thrown) === 'EADDRINUSE') {
    const message = `Cannot start the relay: ${which} ${port} of ${host} is in use, wants a free one (0: any)`;
    return new HotmicError('ERR_HOTMIC_PORT_IN_USE', message, { cause: thrown });
  }
  const why = thrown === null ? 'the system gives no reason' : messageOf(thrown);
  const message = `Cannot start the relay: cannot listen on ${which} ${port} of ${host}: ${why}`;
  return new HotmicError('ERR_HOTMIC_LISTEN', message, { cause: thrown });
}
