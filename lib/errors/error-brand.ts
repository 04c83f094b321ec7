/**
 * The answer of `value instanceof asked` for a class whose instances carry a brand. A brand is a registered symbol, so the errors of
 * another copy of the package in the process, or of the same copy loaded twice, are known too; subclasses are told by their
 * prototype, as usual.
 */
export function isInstanceByBrand(asked: Function, owner: Function, brand: symbol, value: unknown): boolean {
  if (asked !== owner) return Function.prototype[Symbol.hasInstance].call(asked, value);
  return typeof value === 'object' && value !== null && brand in value;
}
