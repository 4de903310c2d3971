import { type PID, Process, type Subscription, type Timer } from '@mezzo/process';
import { detectTopic, encodeLeader, leaderTopic, type Term } from '@mezzo/protocol';

/** Milliseconds between announcements that nobody asked for. */
const announceInterval = 5000;

interface Announced {
  readonly master: PID;
  readonly term: Term;
}

/** A contender's voice: while its master leads, agents, schedulers and pages hear of it, at intervals and when they ask. */
export abstract class Announcer extends Process {
  protected readonly cluster: string;
  #announced: Announced | undefined;
  #timer: Timer | undefined;
  #subscription: Subscription | undefined;

  constructor(id: string, cluster: string) {
    super(id);
    this.cluster = cluster;
  }

  protected override initialize(): void {
    const asked = this.defer((data: Uint8Array) => {
      if (new TextDecoder().decode(data) === this.cluster) this.#announce();
    });
    this.#subscription = this.runtime.listen(detectTopic, asked);
  }

  protected override finalize(): void {
    this.#subscription?.cancel();
  }

  /** Asked before each announcement. */
  protected mayAnnounce(): boolean {
    return true;
  }

  /** @param master its exact address */
  protected announce(master: PID, term: Term): void {
    this.#announced = { master, term };
    this.#announceForEver();
  }

  protected fallSilent(): void {
    this.#announced = undefined;
    this.#timer?.cancel();
  }

  #announceForEver(): void {
    this.#announce();
    this.#timer?.cancel();
    this.#timer = this.delay(announceInterval, () => this.#announceForEver());
  }

  #announce(): void {
    if (this.#announced === undefined || !this.mayAnnounce()) return;
    const { master, term } = this.#announced;
    const url = this.runtime.url ?? '';
    this.runtime.announce(leaderTopic, encodeLeader({ cluster: this.cluster, address: master.address, term, url }));
  }
}
