/** Limits are counted per address key, such as `192.0.2.1` or `2001:db8:0:1::/64`. The IPv6 addresses of one household share a key. */
export type AddressKey = string;
