/**
 * Signals for a relay that is still starting. SIGHUP means "read the certificate, admin tokens and webhook secrets again", so it must not end the process: one that
 * arrives early is remembered, and acted on once the relay listens. SIGTERM and SIGINT end a start at once: nothing is open yet.
 *
 * Only the time until Node runs the first line of JavaScript is not covered.
 */

let hangUp: (() => void) | null = null;
let isHangUpPending = false;

/** Catches SIGHUP, SIGTERM and SIGINT from now on. SIGHUP stays caught until the process ends. */
export function catchStartSignals(): void {
  process.on('SIGHUP', () => {
    if (hangUp) hangUp();
    else isHangUpPending = true;
  });
  process.on('SIGTERM', endStart);
  process.on('SIGINT', endStart);
}

/** Leaves SIGTERM and SIGINT to the caller's handlers. */
export function handOverStop(): void {
  process.off('SIGTERM', endStart);
  process.off('SIGINT', endStart);
}

/** Calls `act` at each SIGHUP from now on, and once now if one arrived before. */
export function onHangUp(act: () => void): void {
  hangUp = act;
  if (!isHangUpPending) return;
  isHangUpPending = false;
  act();
}

function endStart(): void {
  process.exit(0);
}
