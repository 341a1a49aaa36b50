/** Which view a command has: `--json`, rows on a terminal, or lines. */

import { type JsonView, jsonView } from './json_view.js';
import { LiveView } from './live_view.js';
import { plainView } from './plain_view.js';
import type { LobbyView, ViewOptions } from './view.js';

export interface ChosenView {
  readonly view: LobbyView;
  /** For events of the command's own; null without `--json`. */
  readonly json: JsonView | null;
  /** Whether it shows levels, delay and loss. */
  readonly measures: 'shown' | 'not-shown';
}

export function chooseView(options: ViewOptions, json: boolean): ChosenView {
  if (json) {
    const view = jsonView(options);
    return { view, json: view, measures: 'shown' };
  }
  if (process.stderr.isTTY && process.env.TERM !== 'dumb')
    return { view: new LiveView(options), json: null, measures: 'shown' };
  return { view: plainView(options), json: null, measures: 'not-shown' };
}
