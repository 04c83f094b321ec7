import type { BrowserContext, Locator, Page } from 'playwright-core';

/** A tab on sample 01: what a person can do there, and what is to be seen. */
export class Tab {
  /** `onComplaint` receives errors and warnings of the console, and uncaught exceptions. */
  constructor(
    readonly page: Page,
    onComplaint: (text: string) => void = () => {},
  ) {
    page.setDefaultTimeout(20_000);
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) onComplaint(message.text());
    });
    page.on('pageerror', (error) => onComplaint(`${error}`));
  }

  /** Opens a tab for one of the sample's users, who is online and in the lobby then. */
  static async open(
    context: BrowserContext,
    url: string,
    user: string,
    onComplaint?: (text: string) => void,
  ): Promise<Tab> {
    const tab = new Tab(await context.newPage(), onComplaint);
    await tab.page.goto(`${url}/?as=${user}`);
    await tab.entered();
    return tab;
  }

  /** Resolves when the page is online and in a room. */
  async entered(): Promise<void> {
    await this.find('#connection[data-state=online]').waitFor();
    await this.find('#chat-text:enabled').waitFor();
  }

  find(selector: string): Locator {
    return this.page.locator(selector);
  }

  /** `connecting`, `online` or `waiting`. */
  state(): Promise<string | null> {
    return this.find('#connection').getAttribute('data-state');
  }

  /** The texts of one type of message in the feed, newest first. */
  feed(type: string): Promise<string[]> {
    return this.find(`.entry[data-type="${type}"] .entry-text`).allTextContents();
  }

  /** Returns the users in the room. */
  members(): Promise<string[]> {
    return this.find('#chat-members li').allTextContents();
  }

  /** Returns the chat messages of the room. */
  chat(): Promise<string[]> {
    return this.find('.message .text').allTextContents();
  }

  /** The percentages of the jobs, newest first. */
  jobs(): Promise<string[]> {
    return this.find('#jobs output').allTextContents();
  }

  async order(item: string, quantity: number): Promise<void> {
    await this.find('select[name=item]').selectOption(item);
    await this.find('input[name=quantity]').fill(`${quantity}`);
    await this.click('#order-submit');
  }

  async announce(text: string): Promise<void> {
    await this.find('#announcement-form input').fill(text);
    await this.click('#announcement-submit');
  }

  async say(text: string): Promise<void> {
    await this.find('#chat-text').fill(text);
    await this.click('#chat-send');
  }

  async chooseRoom(room: string): Promise<void> {
    await this.click(`input[value=${room}]`);
  }

  /** Clicks as a person would: in the tab in front; behind it, Chromium draws a frame only now and then. */
  async click(selector: string): Promise<void> {
    await this.page.bringToFront();
    await this.find(selector).click();
  }

  close(): Promise<void> {
    return this.page.close();
  }
}
