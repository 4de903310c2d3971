/** Of the package; what `/version` and `/state` tell. */
export const version = '0.1.0';
