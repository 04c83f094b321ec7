import { expect, it } from 'vitest';
import { inspectorSettingsOf, type RealtimeInspectorOptions } from './inspector-options.js';

class AdminGuard {
  canActivate = () => true;
}

const settings = (options: object) => inspectorSettingsOf(options as RealtimeInspectorOptions);

it('serves the page at /realtime, without a tail', () => {
  expect(settings({ guard: AdminGuard })).toEqual({ path: 'realtime', guard: AdminGuard, tail: 'off' });
});

it.each([
  [false, 'off'],
  [true, 'types'],
  [{}, 'types'],
  [{ payloads: false }, 'types'],
  [{ payloads: true }, 'payloads'],
])('takes the tail %j for %s', (tail, mode) => {
  expect(settings({ guard: AdminGuard, tail }).tail).toBe(mode);
});

it.each([
  ['no guard', {}, /guard is required.*forRoot\(\{ guard: AdminGuard \}\)/],
  ['no options', undefined, /must be an object/],
  ['a guard that is no class', { guard: { canActivate: () => true } }, /guard is required/],
  ['a path with a parameter', { guard: AdminGuard, path: '/:tenant/realtime' }, /path must be/],
  ['the root as the path', { guard: AdminGuard, path: '/' }, /path must be/],
  ['a path with markup', { guard: AdminGuard, path: '/"><script>' }, /path must be/],
  ['a tail that is no option', { guard: AdminGuard, tail: 'on' }, /tail must be/],
  ['a misspelt option of the tail', { guard: AdminGuard, tail: { payload: true } }, /tail must be/],
  ['a misspelt option', { guard: AdminGuard, guards: [] }, /guards does not exist; the options are: path, guard/],
])('refuses %s, and says what to write', (_what, options, message) => {
  expect(() => settings(options as object)).toThrow(message);
});
