/** Limits are counted per address key: two addresses of one household have the same. Such as `192.0.2.1` or `2001:db8:0:1::/64`. */
export type AddressKey = string;
