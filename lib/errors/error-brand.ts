/**
 * Implements `value instanceof asked` for a class whose instances carry a brand. A brand is a registered symbol, so `instanceof`
 * also knows instances of another copy of the package, or of the same copy loaded twice. Subclasses are known by prototype, as usual.
 */
export function isInstanceByBrand(asked: Function, owner: Function, brand: symbol, value: unknown): boolean {
  if (asked !== owner) return Function.prototype[Symbol.hasInstance].call(asked, value);
  return typeof value === 'object' && value !== null && brand in value;
}
