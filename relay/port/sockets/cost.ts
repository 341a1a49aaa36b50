/**
 * The processor time that ws takes per delivery to a listener, divided by that of uWebSockets, with all of the relay's checks. From
 * bench/results/relay.json.
 */
export const WS_COST = { plain: 1.4, tls: 1.6 } as const;
