/** ERR_HOTMIC_STEAM_CALL with the number that Steam refused with. */

import { HotmicError } from '../voice/error.js';

export class SteamCallError extends HotmicError {
  /** A Result, BeginAuthSessionResult, AuthSessionResponse or VoiceResult, depending on the call. */
  readonly result: number;
  /** Its name, such as `AUTH_SESSION_RESPONSE_VAC_BANNED`, since the tables share numbers. */
  readonly resultName: string;

  constructor(action: string, result: number, name: string) {
    super('ERR_HOTMIC_STEAM_CALL', `Cannot ${action}: Steam answers ${name} (${result})`);
    this.result = result;
    this.resultName = name;
  }
}
