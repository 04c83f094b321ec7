import { PROJECT, textOf } from '../.vitepress/tree.js';

/** The documents of the repository that stand outside of `docs`. */
export default {
  paths: () => Object.entries(PROJECT).map(([page, document]) => ({ params: { page }, content: textOf(document) })),
};
