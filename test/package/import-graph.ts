import { posix } from 'node:path';
import ts from 'typescript';

/** Which nodes a node points at, by name. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * The imports between TypeScript files: values and types, re-exports, `import()` and `import('…').Type`. Imports of packages
 * and of files that are not given are left out.
 * @param texts the text of each file by its path, such as `lib/core/topic/topic.ts`
 */
export function importGraph(texts: ReadonlyMap<string, string>): Graph {
  return new Map(
    Array.from(texts, ([path, text]) => [path, new Set(importsOf(path, text).filter((to) => texts.has(to)))]),
  );
}

function importsOf(path: string, text: string): string[] {
  return ts
    .preProcessFile(text, true, true)
    .importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => posix.join(posix.dirname(path), fileName).replace(/\.js$/, '.ts'));
}

/** The same graph between groups of nodes, without the arrows inside of a group. */
export function groupedBy(graph: Graph, groupOf: (node: string) => string): Graph {
  const groups = new Map<string, Set<string>>();
  for (const [node, targets] of graph) {
    const from = groupOf(node);
    const reached = groups.get(from) ?? new Set();
    groups.set(from, reached);
    for (const to of targets) if (groupOf(to) !== from) reached.add(groupOf(to));
  }
  return groups;
}

/** Every circle, as the nodes that reach each other (the strongly connected components), sorted. */
export function circlesIn(graph: Graph): string[][] {
  const reachable = new Map(Array.from(graph.keys(), (node) => [node, reachFrom(graph, node)]));
  const circles = new Map<string, string[]>();
  for (const [node, reached] of reachable) {
    if (!reached.has(node)) continue;
    const circle = [...reached].filter((other) => reachable.get(other)?.has(node)).sort();
    circles.set(circle.join(' '), circle);
  }
  return [...circles.values()];
}

function reachFrom(graph: Graph, start: string): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = [start];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    for (const next of graph.get(node) ?? []) {
      if (reached.has(next)) continue;
      reached.add(next);
      waiting.push(next);
    }
  }
  return reached;
}
