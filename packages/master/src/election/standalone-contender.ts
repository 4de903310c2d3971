import { type PID, Process, type Subscription } from '@mezzo/process';
import { detectTopic, encodeLeader, leaderTopic, type Term } from '@mezzo/protocol';

export interface StandaloneContenderOptions {
  readonly cluster: string;
  /** The exact address of the master that leads. */
  readonly master: PID;
  readonly term: Term;
}

/** Milliseconds between announcements that nobody asked for. */
const announceInterval = 5000;

/** The election of a cluster with one master: it has won from the start, and says so as long as its master lives. */
export class StandaloneContender extends Process {
  readonly #options: StandaloneContenderOptions;
  #subscription: Subscription | undefined;

  constructor(options: StandaloneContenderOptions) {
    super('contender');
    this.#options = options;
  }

  protected override initialize(): void {
    const asked = this.defer((data: Uint8Array) => {
      if (new TextDecoder().decode(data) === this.#options.cluster) this.#announce();
    });
    this.#subscription = this.runtime.listen(detectTopic, asked);
    this.link(this.#options.master);
    this.#announceForEver();
  }

  protected override finalize(): void {
    this.#subscription?.cancel();
  }

  protected override exited(): void {
    this.terminate();
  }

  #announceForEver(): void {
    this.#announce();
    this.delay(announceInterval, () => this.#announceForEver());
  }

  #announce(): void {
    const { cluster, master, term } = this.#options;
    this.runtime.announce(
      leaderTopic,
      encodeLeader({ cluster, address: master.address, term, url: this.runtime.url ?? '' }),
    );
  }
}
