/** `hotmic/codec` in Node: Steam Voice without Steam. Starts from the file system, synchronously, in any thread. */

export * from './load.js';
export * from './portable.js';
