/** `node --import` of this resolves `electron` to the stand-in beside it. */

import { register } from 'node:module';

const standIn = new URL('./stand_in.js', import.meta.url).href;
const hook = `export const resolve = (name, context, next) =>
  name === 'electron' ? { url: ${JSON.stringify(standIn)}, shortCircuit: true } : next(name, context);`;

register(`data:text/javascript,${encodeURIComponent(hook)}`);
