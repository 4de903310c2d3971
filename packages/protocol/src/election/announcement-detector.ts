import type { PID, Subscription } from '@mezzo/process';
import { decodeLeader, detectTopic, leaderTopic } from '../messages/leader.ts';
import { Detector } from './detector.ts';

/** How often, in milliseconds, the leader is asked for while none is known. */
const askInterval = 500;

/**
 * Finds the leading master of a cluster by what masters announce on the leader topic, and links to that master, so that its
 * end is noticed.
 */
export class AnnouncementDetector extends Detector {
  readonly #cluster: string;
  #subscription: Subscription | undefined;
  #asking = false;

  /** @param options `id`: default `detector`. */
  constructor(options: { readonly cluster: string; readonly id?: string }) {
    super(options.id ?? 'detector');
    this.#cluster = options.cluster;
  }

  protected override initialize(): void {
    const heard = this.defer((data: Uint8Array) => this.#heard(data));
    this.#subscription = this.runtime.listen(leaderTopic, heard);
    this.#ask();
  }

  protected override finalize(): void {
    this.#subscription?.cancel();
  }

  protected override exited(pid: PID): void {
    if (pid.address !== this.leader?.address) return;
    this.lose();
    this.#ask();
  }

  protected override sought(): void {
    this.#ask();
  }

  #heard(data: Uint8Array): void {
    const leader = decodeLeader(data);
    if (leader === undefined || leader.cluster !== this.#cluster || !this.follow(leader)) return;
    // Its node may have been started again since we last heard of it.
    this.link(this.runtime.pid(leader.address), { reconnect: true });
  }

  #ask(): void {
    if (this.#asking || this.leader !== undefined) return;
    this.#asking = true;
    this.runtime.announce(detectTopic, new TextEncoder().encode(this.#cluster));
    this.delay(askInterval, () => {
      this.#asking = false;
      this.#ask();
    });
  }
}
