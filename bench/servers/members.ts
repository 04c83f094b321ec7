/** The subscriptions of clients, for servers whose library has none. */
export class Members<Client extends object> {
  readonly #byTopic = new Map<string, Set<Client>>();
  readonly #topics = new WeakMap<Client, string[]>();

  join(client: Client, topic: string): void {
    const members = this.#byTopic.get(topic);
    if (members) members.add(client);
    else this.#byTopic.set(topic, new Set([client]));
    const topics = this.#topics.get(client);
    if (topics) topics.push(topic);
    else this.#topics.set(client, [topic]);
  }

  leaveAll(client: Client): void {
    for (const topic of this.#topics.get(client) ?? []) this.#byTopic.get(topic)?.delete(client);
  }

  of(topic: string): Iterable<Client> {
    return this.#byTopic.get(topic) ?? [];
  }
}
