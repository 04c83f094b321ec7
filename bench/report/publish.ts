import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Results } from '../results.js';
import { BENCH } from '../stage/program.js';
import { bars } from './bars.js';
import { curves } from './curves.js';
import { BYSTANDER } from './bystander-measures.js';
import { CLUSTER_COSTS, CLUSTER_GROWTH } from './cluster-measures.js';
import { takingPart } from './figures.js';
import { replaceRegion } from './marked-region.js';
import { COSTS, GROWTH } from './measures.js';
import { PACE_COSTS } from './pace-measures.js';
import { STREAM_COSTS, STREAM_WORKLOADS } from './stream-measures.js';
import { tablesOf } from './tables.js';

/**
 * Prints tables, and draws the plot beside the file that the results are in.
 * @param isForReadme true to put the tables into the README, in place of those that are there
 */
export function publish(results: Results, file: string, isForReadme: boolean): void {
  const tables = tablesOf(results);
  const grown = results.runs.filter(({ workload }) => workload.grows);
  const isGrowth = grown.length > 0;
  const isCluster = results.runs.some(({ workload }) => workload.nodes);
  const isBystander = results.runs.some(({ workload }) => workload.name === 'bystander');
  const isStreams = results.runs.some(({ workload }) => STREAM_WORKLOADS.has(workload.name));
  const isPace = results.runs.some(({ workload }) => workload.name === 'fast-map');
  const costs = isPace
    ? PACE_COSTS
    : isStreams
      ? STREAM_COSTS
      : isBystander
        ? BYSTANDER
        : isCluster
          ? CLUSTER_COSTS
          : COSTS;
  const plot = file.replace(/(\.json)?$/, '.svg');
  writeFileSync(
    plot,
    isGrowth
      ? curves('How costs grow', isCluster ? CLUSTER_GROWTH : GROWTH, grown)
      : bars('What the server spends; less is better', costs, takingPart(results.runs, costs)),
  );
  console.log(`\n${tables}\n\n${file}\n${plot}`);
  if (!isForReadme) return;
  const readme = join(BENCH, 'README.md');
  const isFeatures = results.runs.some(({ row }) => row === 'nestjs-realtime-history');
  const isOperating = results.runs.some(({ row }) => row === 'nestjs-realtime-metrics');
  const alone = [
    isPace && 'pace',
    isStreams && 'streams',
    isBystander && 'bystander',
    isFeatures && 'features',
    isOperating && 'operating',
  ];
  const region = alone.find((name) => name !== false) ?? regionOf(isGrowth, isCluster);
  writeFileSync(readme, replaceRegion(readFileSync(readme, 'utf8'), region, tables));
}

function regionOf(isGrowth: boolean, isCluster: boolean): string {
  if (isCluster) return isGrowth ? 'cluster-growth' : 'cluster';
  return isGrowth ? 'growth' : 'comparison';
}
