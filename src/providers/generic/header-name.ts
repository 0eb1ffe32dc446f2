/**
 * True for the lower-case name of a header (RFC 9110, token) that no object has by itself: headers are looked up in a
 * plain object.
 */
export function isHeaderName(name: string): boolean {
  return /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name) && !(name in {});
}
