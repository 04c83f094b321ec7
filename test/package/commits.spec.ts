import { describe, expect, it } from 'vitest';
import { run } from './child.js';

/** `type(scope)!: effect`, as https://www.conventionalcommits.org has it, without a full stop. */
const SUBJECT = /^(feat|fix|perf|refactor|docs|test|build|ci|chore|revert)(\([a-z0-9-]+\))?!?: \S.*[^.\s]$/;

/** The commits that are there: all, or what a shallow clone has of them. A folder that is no clone has none. */
const { stdout } = await run('git', ['-c', 'safe.directory=*', 'log', '--no-merges', '--format=%h %s']);
const commits = stdout
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => ({ hash: line.slice(0, line.indexOf(' ')), subject: line.slice(line.indexOf(' ') + 1) }));

describe('the rule for subjects of commits', () => {
  it.each(['feat: send to roles', 'fix(gateway): close idle sockets', 'refactor!: one name per inbox'])(
    'takes %s',
    (subject) => {
      expect(subject).toMatch(SUBJECT);
    },
  );

  it.each(['Send to roles', 'feat:send to roles', 'feature: send to roles', 'fix: close idle sockets.', 'wip'])(
    'refuses %s',
    (subject) => {
      expect(subject).not.toMatch(SUBJECT);
    },
  );
});

describe.skipIf(commits.length === 0)('a commit', () => {
  it.each(commits)('says its kind and its effect: $hash', ({ subject }) => {
    expect(subject).toMatch(SUBJECT);
  });
});
