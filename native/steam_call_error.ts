/** ERR_HOTMIC_STEAM_CALL with the number by which Steam refused. */

import { HotmicError } from '../voice/error.js';

export class SteamCallError extends HotmicError {
  /** A Result, BeginAuthSessionResult, AuthSessionResponse or VoiceResult, by what was asked for. */
  readonly result: number;
  /** Its name, such as `AUTH_SESSION_RESPONSE_VAC_BANNED`: one number stands in several tables. */
  readonly resultName: string;

  constructor(action: string, result: number, name: string) {
    super('ERR_HOTMIC_STEAM_CALL', `Cannot ${action}: Steam answers ${name} (${result})`);
    this.result = result;
    this.resultName = name;
  }
}
