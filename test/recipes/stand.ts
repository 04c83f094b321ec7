import type { Browser } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { launchChromium } from '../helpers/chromium.js';
import type { Program } from './program.js';
import { Recipe } from './recipe.js';

/** A recipe whose program runs, and a browser to look at its page. */
export class Stand {
  program!: Program;
  browser!: Browser;
  #recipe: Recipe | undefined;

  /** Starts it before the tests of a file, and ends it after them. @param name of the page in `docs/recipes` */
  static of(name: string): Stand {
    const stand = new Stand();
    beforeAll(() => stand.#start(name));
    afterAll(() => stand.#end());
    return stand;
  }

  async #start(name: string): Promise<void> {
    this.#recipe = await Recipe.write(name);
    this.program = await this.#recipe.start('src/main.js', { finished: () => undefined });
    this.browser = await launchChromium();
  }

  async #end(): Promise<void> {
    await this.browser?.close();
    await this.program?.kill();
    await this.#recipe?.remove();
  }
}
