/** The generated glue, apart from module.ts so that no type of the package's doors names it: its types want the DOM library. */

export * from './pkg/hotmic_wasm.js';
