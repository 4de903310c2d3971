import { message, type PID, Process, type Subscription } from '@mezzo/process';
import Type from 'typebox';
import { decodeLeader, detectTopic, type Leader, leaderSchema, leaderTopic } from '../messages/leader.ts';
import { compareTerms } from '../messages/model.ts';
import { wire } from '../messages/wire.ts';

/** Asks who leads. The answer comes as soon as that is somebody else than `previous`, and once only. */
export const Detect = message('detector.detect', wire(Type.Object({ previous: Type.Optional(leaderSchema) })));

/** The answer to Detect. Without a leader: the one that led is gone and no other is known yet. */
export const Detected = message('detector.detected', wire(Type.Object({ leader: Type.Optional(leaderSchema) })));

interface Waiting {
  readonly from: PID;
  readonly previous: Leader | undefined;
}

/** How often, in milliseconds, the leader is asked for while none is known. */
const askInterval = 500;

/**
 * Finds the leading master of a cluster by what masters announce on the leader topic. It follows the newest term it has
 * heard of, and links to that master, so that its end is noticed.
 */
export class AnnouncementDetector extends Process {
  readonly #cluster: string;
  readonly #waiting: Waiting[] = [];
  #leader: Leader | undefined;
  #newest: Leader | undefined;
  #subscription: Subscription | undefined;
  #asking = false;

  constructor(options: { readonly cluster: string; readonly id?: string }) {
    super(options.id ?? 'detector');
    this.#cluster = options.cluster;
    this.install(Detect, ({ previous }, from) => this.#detect(previous, from));
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
    if (this.#leader === undefined || pid.toString() !== this.runtime.pid(this.#leader.address).toString()) return;
    this.#become(undefined);
    this.#ask();
  }

  #detect(previous: Leader | undefined, from: PID): void {
    // Those that waited before have heard all there is to say.
    this.#answer({ from, previous });
    this.#ask();
  }

  #heard(data: Uint8Array): void {
    const leader = decodeLeader(data);
    if (leader === undefined || leader.cluster !== this.#cluster) return;
    if (this.#newest !== undefined && compareTerms(leader.term, this.#newest.term) < 0) return;
    this.#newest = leader;
    if (this.#leader?.address === leader.address) return;
    this.link(this.runtime.pid(leader.address));
    this.#become(leader);
  }

  #become(leader: Leader | undefined): void {
    this.#leader = leader;
    for (const waiting of this.#waiting.splice(0)) this.#answer(waiting);
  }

  #answer(waiting: Waiting): void {
    if (waiting.previous?.address === this.#leader?.address) this.#waiting.push(waiting);
    else this.send(waiting.from, Detected, { leader: this.#leader });
  }

  #ask(): void {
    if (this.#asking || this.#leader !== undefined) return;
    this.#asking = true;
    this.runtime.announce(detectTopic, new TextEncoder().encode(this.#cluster));
    this.delay(askInterval, () => {
      this.#asking = false;
      this.#ask();
    });
  }
}
