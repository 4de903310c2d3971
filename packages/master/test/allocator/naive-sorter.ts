/** Amounts in thousandths; `volume` names a shared volume of 10 MB of disk. */
export interface Held {
  readonly client: string;
  readonly agent: string;
  readonly cpus: number;
  readonly mem: number;
  readonly volume: string | undefined;
}

/**
 * Dominant resource fairness as it is defined, from a plain list of all that is held: no tree, no sums, no order is kept.
 */
export class NaiveDrf {
  readonly total = { cpus: 0, mem: 0, disk: 0 };
  readonly weights = new Map<string, number>();
  readonly clients = new Map<string, boolean>();
  readonly held: Held[] = [];
  readonly #counts = new Map<string, number>();

  add(client: string): void {
    if (this.clients.has(client)) return;
    const nodes = new Set(this.#nodes());
    const hadClientsBelow = nodes.has(client);
    const parents = [...this.clients.keys()].filter((path) => client.startsWith(`${path}/`) && !nodes.has(`${path}/.`));
    this.clients.set(client, false);
    for (const parent of parents) this.#counts.set(`${parent}/.`, this.#counts.get(parent) ?? 0);
    if (hadClientsBelow) this.#counts.set(`${client}/.`, 0);
    this.#forgetCounts();
  }

  remove(client: string): void {
    this.clients.delete(client);
    this.held.splice(0, this.held.length, ...this.held.filter((held) => held.client !== client));
    this.#forgetCounts();
  }

  allocated(held: Held): void {
    this.held.push(held);
    for (const node of this.#nodes()) {
      if (this.#isWithin(held.client, node)) this.#counts.set(node, (this.#counts.get(node) ?? 0) + 1);
    }
  }

  share(client: string): number {
    return this.clients.has(client) ? this.#share(this.#leaf(client)) : 0;
  }

  sort(): string[] {
    return this.#list('');
  }

  #list(parent: string): string[] {
    const parts = parent === '' ? 0 : parent.split('/').length;
    return this.#nodes()
      .filter((node) => (parent === '' || node.startsWith(`${parent}/`)) && node.split('/').length === parts + 1)
      .sort((left, right) => {
        const byShare = this.#share(left) - this.#share(right);
        if (byShare !== 0) return byShare;
        const byCount = (this.#counts.get(left) ?? 0) - (this.#counts.get(right) ?? 0);
        if (byCount !== 0) return byCount;
        return left < right ? -1 : 1;
      })
      .flatMap((node) => {
        const client = [...this.clients.keys()].find((path) => this.#leaf(path) === node);
        if (client === undefined) return this.#list(node);
        return this.clients.get(client) === true ? [client] : [];
      });
  }

  #share(node: string): number {
    const held = this.held.filter(({ client }) => this.#isWithin(client, node));
    const volumes = new Set(held.filter(({ volume }) => volume !== undefined).map((h) => `${h.agent} ${h.volume}`));
    const sums = {
      cpus: held.reduce((sum, { cpus }) => sum + cpus, 0),
      mem: held.reduce((sum, { mem }) => sum + mem, 0),
      disk: 10_000 * volumes.size,
    };
    const { total } = this;
    const parts = (['cpus', 'mem', 'disk'] as const).map((name) => (total[name] > 0 ? sums[name] / total[name] : 0));
    return Math.max(...parts) / (this.weights.get(node) ?? 1);
  }

  /** All paths on the way to clients, and those of the leaves that stand for a client with others below it. */
  #nodes(): string[] {
    const nodes = new Set<string>();
    for (const client of this.clients.keys()) {
      const parts = client.split('/');
      for (let length = 1; length <= parts.length; length++) nodes.add(parts.slice(0, length).join('/'));
      nodes.add(this.#leaf(client));
    }
    return [...nodes];
  }

  #leaf(client: string): string {
    const hasOthersBelow = [...this.clients.keys()].some((path) => path.startsWith(`${client}/`));
    return hasOthersBelow ? `${client}/.` : client;
  }

  #isWithin(client: string, node: string): boolean {
    return this.#leaf(client) === node || client === node || client.startsWith(`${node}/`);
  }

  #forgetCounts(): void {
    const nodes = new Set(this.#nodes());
    for (const node of this.#counts.keys()) if (!nodes.has(node)) this.#counts.delete(node);
  }
}
