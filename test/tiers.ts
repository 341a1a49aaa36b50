/** Which tests `make test-fast` runs, and which files begin first. */

/** Pure parts: no socket, process, worker, file to write, codec or library of Steam's. */
const FAST =
  /^(imports|rules|english|test_file)\.|^voice\/(?!ring_threads)|^tickets\/|^relay\/core\/(?!model\/)|^relay\/addresses\//;

/** They take minutes, or tens of seconds: begun last, one of them would run alone at the end. In this order. */
const LONGEST = [
  /^wasm\/oracle\./,
  /^relay\/core\/model\/mute_rule\./,
  /^hostile\//,
  /^scenario\/codec_memory/,
  /^relay\/core\/model\/broken_rule\./,
  /^cli\//,
  /^native\//,
  /^(wasm|fuzz|bench|interop)\//,
];

/** By path below dist/test. */
export function isFast(name: string): boolean {
  return FAST.test(name);
}

/** The order to begin in. */
export function firstToRun(a: string, b: string): number {
  return rank(a) - rank(b) || a.localeCompare(b);
}

function rank(name: string): number {
  const at = LONGEST.findIndex((pattern) => pattern.test(name));
  return at < 0 ? LONGEST.length : at;
}
