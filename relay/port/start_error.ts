/** Why a relay did not start, and what to do: uWebSockets is missing or does not load, or the port is not available. */

import { codeOf, HotmicError, messageOf } from '../../voice/error.js';

/** The error for starting a relay with uWebSockets in a worker thread. */
export function threadError(): HotmicError {
  return new HotmicError(
    'ERR_HOTMIC_THREAD',
    'Cannot start the relay with uWebSockets in a worker thread: if that thread ended before the relay is closed, uWebSockets would abort the ' +
      "whole process. Start it in the main thread, in a separate process (child_process.fork), or with sockets: 'ws'",
  );
}

/** The error for a relay that has to run on uWebSockets, which does not load. @param reason In one line. */
export function missingError(reason: string, thrown: unknown): HotmicError {
  return new HotmicError(
    'ERR_HOTMIC_RELAY_MISSING',
    `Cannot start the relay with uWebSockets: ${reason}; or start it with sockets ws`,
    { cause: thrown },
  );
}

/** Why something does not load. */
export interface MissingReason {
  /** With what to do about it. */
  readonly reason: string;
  readonly brief: string;
}

/** Why uWebSockets.js does not load: what `import('uWebSockets.js')` threw. */
export function missingReason(thrown: unknown, nodeVersion: string): MissingReason {
  const message = oneLine(thrown);
  const code = codeOf(thrown);
  const isAbsent = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
  if (isAbsent && /uWebSockets\.js/.test(message)) {
    return {
      reason:
        'the optional dependency uWebSockets.js is not installed: run npm install without --omit=optional',
      brief: 'uWebSockets.js is not installed',
    };
  }
  const glibc = /GLIBC_[0-9.]+/.exec(message);
  if (glibc) {
    const brief = `uWebSockets.js for Node ${nodeVersion} needs ${glibc[0]}`;
    return {
      reason:
        `${brief}, which this system does not have ` +
        '(the binaries for Node 22 and 24 need 2.38; Debian 12 has 2.36): use Debian 13, Ubuntu 24.04 or later',
      brief,
    };
  }
  // In the message is a long text about all platforms that have one.
  const binary = /Cannot find module '\.\/(uws_\w+)\.node'/.exec(message);
  if (binary) {
    const brief = `uWebSockets.js has no binary for Node ${nodeVersion}`;
    return {
      reason:
        `${brief} on this system (${binary[1]}): ` +
        'use Node 22 or 24 on Linux with glibc 2.38 or later, macOS or Windows',
      brief,
    };
  }
  const brief = `uWebSockets.js does not load in Node ${nodeVersion}`;
  return {
    reason: `${brief}, expected Node 20, 22 or 24 on glibc Linux, macOS or Windows: ${message}`,
    brief,
  };
}

/** Why our addon with uWebSockets does not load: what loading it threw. */
export function addonReason(thrown: unknown): MissingReason {
  const message = oneLine(thrown);
  const absent = /^No native build was found for platform=(\S+) arch=(\S+)/.exec(message);
  const brief = absent
    ? `Hotmic's addon with uWebSockets is not there for ${absent[1]}-${absent[2]}`
    : `Hotmic's addon with uWebSockets does not load: ${message}`;
  return { reason: brief, brief };
}

function oneLine(thrown: unknown): string {
  return messageOf(thrown).replace(/\s+/g, ' ');
}

/** What operators call a port of the relay. */
export type PortName = 'port' | 'operations port' | 'admin port';

/** @throws RangeError for a number that is not a port; 0 stands for any free one. */
export function checkPort(name: PortName, port: number): void {
  if (Number.isInteger(port) && port >= 0 && port <= 0xffff) return;
  throw new RangeError(`Cannot start the relay: ${name} is ${port}, expected 0 to 65535`);
}

/** The error for a port that could not be listened on. `thrown` is the system's error; null when it gives none. */
export function listenError(
  thrown: unknown,
  host: string,
  port: number,
  name: PortName = 'port',
): HotmicError {
  if (codeOf(thrown) === 'EADDRINUSE') {
    const message = `Cannot start the relay: ${name} ${port} of ${host} is in use; choose another, or 0 for any free one`;
    return new HotmicError('ERR_HOTMIC_PORT_IN_USE', message, { cause: thrown });
  }
  const why = thrown === null ? 'the system gives no reason' : messageOf(thrown);
  const message = `Cannot start the relay: cannot listen on ${name} ${port} of ${host}: ${why}`;
  return new HotmicError('ERR_HOTMIC_LISTEN', message, { cause: thrown });
}
