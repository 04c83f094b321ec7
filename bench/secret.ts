/** What the generator signs tokens with, and the server verifies them with. Nothing but benchmarks ever sees it. */
export const SECRET = 'only-for-benchmarks-only-for-benchmarks-only-for-benchmarks';
