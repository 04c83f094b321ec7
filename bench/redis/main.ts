// Prints what presence costs in large topics, and what nodes cost without clients. Takes about five minutes.
import { costOfNodes, costOfChannels } from './cost-of-nodes.js';
import { presenceAtSize } from './presence-at-size.js';

console.table(await costOfChannels());
const nodes = [];
for (const count of [1, 2, 4, 8, 32, 100]) nodes.push(await costOfNodes(count));
console.table(nodes);
const sizes = [];
for (const members of [100, 1_000, 10_000, 100_000]) sizes.push(await presenceAtSize(members));
console.table(sizes);
