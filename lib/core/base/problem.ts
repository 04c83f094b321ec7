/** One fault in a value: its path and a description. An empty list of problems means that the value is valid. */
export interface Problem {
  /** Path inside the value (`payload`, `roles[2]`), or the name of the value itself. */
  readonly at: string;
  /** The description, which completes a sentence that begins with the path: `must be a non-empty string`. */
  readonly message: string;
}

/** Joins problems into one line for an error text: `type must be a non-empty string; topic must …`. */
export function describeProblems(problems: readonly Problem[]): string {
  return problems.map(({ at, message }) => `${at} ${message}`).join('; ');
}
