/**
 * `hotmic/codec` in a browser, its workers and AudioWorklets (condition `browser` in package.json): the same names as in Node,
 * but `loadCodec` and `compileCodec` fetch, so they return promises.
 */

export * from './load_browser.js';
export * from './portable.js';
