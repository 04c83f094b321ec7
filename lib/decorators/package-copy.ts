import { fileURLToPath } from 'node:url';

/** Metadata key of the list of package folders whose decorators marked a target. All copies of the package share the symbol. */
const COPIES_METADATA = Symbol.for('nestjs-realtime:copies');

/**
 * The package folder, read from a stack trace of one of its files. `import.meta` is no alternative: it is a syntax error wherever a
 * test runner compiles the package to CommonJS.
 */
export function packageFolderIn(stack: string | undefined): string {
  const [, place = ''] = /^\s+at (?:.*\()?(.*?):\d+:\d+\)?$/m.exec(stack ?? '') ?? [];
  const path = place.startsWith('file:') ? fileURLToPath(place) : place;
  return path.replace(/[\\/](?:dist|lib)[\\/]decorators[\\/][^\\/]*$/, '') || 'an unknown folder';
}

/** The folder of this copy. Test runners that reset modules load the same copy more than once. */
export const OWN_COPY = packageFolderIn(new Error().stack);

/** Records that a decorator of this copy marked a class or a method. */
export function markCopy(target: object): void {
  const copies = copiesOf(target);
  if (!copies.includes(OWN_COPY)) Reflect.defineMetadata(COPIES_METADATA, [...copies, OWN_COPY], target);
}

/** The folders of the copies whose decorators marked a class, one that it extends, or a method. */
export function copiesOf(target: object): readonly string[] {
  return (Reflect.getMetadata(COPIES_METADATA, target) as readonly string[] | undefined) ?? [];
}
