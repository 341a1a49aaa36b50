/** The generated glue. Separate from module.ts so that no public type refers to it: its types need the DOM library. */

export * from './pkg/hotmic_wasm.js';
