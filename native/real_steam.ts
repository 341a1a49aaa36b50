/** The real Steam, over the addon. */

export interface RealSteamOptions {
  readonly library?: string;
  readonly appId?: number;
}
