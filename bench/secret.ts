/** The secret with which the generator signs tokens and the server verifies them. Only benchmarks use it. */
export const SECRET = 'only-for-benchmarks-only-for-benchmarks-only-for-benchmarks';
