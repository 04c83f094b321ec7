import type { CanActivate, ModuleMetadata, Type } from '@nestjs/common';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';

/**
 * Options of `RealtimeInspectorModule.forRoot()`.
 * @publicApi
 */
export interface RealtimeInspectorOptions {
  /**
   * The path of the page, below the global prefix of the application and without a version. Default `/realtime`. The page's
   * scripts and data are served below it.
   */
  path?: string;
  /**
   * Decides who sees the page, its scripts and its data. A class, which Nest creates; modules whose providers it injects stand in
   * `imports`.
   */
  guard: Type<CanActivate>;
  /** Modules that export what the guard injects. */
  imports?: ModuleMetadata['imports'];
  /**
   * Whether the page can watch the messages to a topic. Default false. `true` shows their types and sizes, `{ payloads: true }` the
   * messages, shortened to 1,000 characters.
   */
  tail?: boolean | RealtimeInspectorTailOptions;
}

/**
 * The part of the messages to a topic that the page shows.
 * @publicApi
 */
export interface RealtimeInspectorTailOptions {
  /** True to show the messages, and not only their types and sizes. Default false. */
  payloads?: boolean;
}

/** The part of messages that the page shows. */
export type TailMode = 'off' | 'types' | 'payloads';

/** The options, checked and with their defaults. */
export interface InspectorSettings {
  readonly path: string;
  readonly guard: Type<CanActivate>;
  readonly tail: TailMode;
}

const NAMES = ['path', 'guard', 'imports', 'tail'];

/** Segments of letters, digits and `-._~`, which a URL and a route spell alike. */
const PATH = /^\/?[\w.~-]+(\/[\w.~-]+)*$/;

/** @throws RealtimeConfigurationError that names the invalid option and its cure */
export function inspectorSettingsOf(options: RealtimeInspectorOptions): InspectorSettings {
  const given: unknown = options;
  if (typeof given !== 'object' || given === null) throw invalid('options', 'must be an object: { guard: AdminGuard }');
  const unknown = Object.keys(given).find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw invalid(unknown, `does not exist; the options are: ${NAMES.join(', ')}`);
  const { path = '/realtime', guard, tail = false } = options;
  if (typeof guard !== 'function') throw invalid('guard', GUARD);
  if (typeof path !== 'string' || !PATH.test(path)) {
    throw invalid('path', 'must be segments of letters, digits and -._~, such as "/realtime" or "/admin/realtime"');
  }
  return { path: path.replace(/^\//, ''), guard, tail: tailModeOf(tail) };
}

const GUARD =
  'is required, because the page shows user ids, topics and addresses: a class that implements CanActivate and lets only ' +
  'administrators pass, such as RealtimeInspectorModule.forRoot({ guard: AdminGuard })';

function tailModeOf(tail: unknown): TailMode {
  if (typeof tail === 'boolean') return tail ? 'types' : 'off';
  const { payloads = false, ...others } = Object(tail) as RealtimeInspectorTailOptions;
  if (typeof tail !== 'object' || typeof payloads !== 'boolean' || Object.keys(others).length > 0) {
    throw invalid('tail', 'must be false, true or { payloads: true }');
  }
  return payloads ? 'payloads' : 'types';
}

function invalid(name: string, problem: string): RealtimeConfigurationError {
  return new RealtimeConfigurationError(`RealtimeInspectorModule options: ${name} ${problem}`);
}
