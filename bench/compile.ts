/** Compiles a C program of the benchmarks when it is needed. Nothing is downloaded or installed. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Whether the program could be compiled, and with TLS. */
export type Compiled =
  | { readonly kind: 'compiled'; readonly program: string; readonly tls: boolean }
  | { readonly kind: 'missing'; readonly reason: string };

/**
 * Compiles `source`, a path in this repository or package, to the file `program`. With `tls` it is also linked with OpenSSL if that has its
 * headers here, and HOTMIC_TLS is defined. The environment variable CC names another compiler than cc.
 */
export function compileC(source: string, program: string, tls: 'tls' | 'plain' = 'plain'): Compiled {
  const compiler = process.env.CC ?? 'cc';
  // This file runs as dist/bench/compile.js.
  const path = fileURLToPath(new URL(`../../${source}`, import.meta.url));
  const run = (args: readonly string[], input = '') =>
    spawnSync(compiler, args, { input, encoding: 'utf8', stdio: ['pipe', 'ignore', 'pipe'] });
  const withTls = tls === 'tls' && run(['-E', '-x', 'c', '-'], '#include <openssl/ssl.h>\n').status === 0;
  mkdirSync(dirname(program), { recursive: true });
  // Renamed when it is whole: another process may run the same program at this moment.
  const made = `${program}.${process.pid}`;
  const args = ['-std=c11', '-O2', '-Wall', '-Wextra', path, '-o', made];
  const compiled = run(withTls ? ['-DHOTMIC_TLS', ...args, '-lssl', '-lcrypto'] : args);
  if (compiled.error) return { kind: 'missing', reason: `no C compiler: cannot run ${compiler}` };
  if (compiled.status !== 0)
    return {
      kind: 'missing',
      reason: `${compiler} cannot compile ${source}: ${compiled.stderr.trim().slice(0, 500)}`,
    };
  renameSync(made, program);
  return { kind: 'compiled', program, tls: withTls };
}
