import {
  Basket,
  createVolume,
  destroyVolume,
  type Driver,
  launch,
  reserve,
  type Scheduler,
  shellTask,
  type Subscription,
  unreserve,
} from '@mezzo/frameworks';
import type { Random } from '@mezzo/process';
import {
  isTerminal,
  type Offer,
  type OfferID,
  type Operation,
  Resources,
  type TaskInfo,
  type TaskStatus,
} from '@mezzo/protocol';
import type { FrameworkRecord } from './framework-record.ts';
import { lastEnd, schedule } from './settings.ts';

export interface SimulatedFrameworkOptions {
  readonly record: FrameworkRecord;
  readonly random: Random;
  /** Milliseconds since the world's beginning. */
  readonly elapsed: () => number;
  /** Hears of each update, before it is acknowledged. */
  readonly heard: (status: TaskStatus) => void;
  /** Gives a task the id of one that has ended. */
  readonly reusesIds: boolean;
}

/** Seconds for which a declined offer is not made again. */
const refuseSeconds = 60;
const everything = { refuseSeconds };
/** How often it leaves an offer unanswered. */
const hoarding = 0.15;
const needs = { plain: 'cpus:1;mem:64', reserved: 'cpus:1;mem:64', volume: 'disk:32' } as const;

/** Launches as many tasks as are wanted, and writes down what it hears. */
export class SimulatedFramework implements Scheduler {
  readonly #options: SimulatedFrameworkOptions;
  readonly #record: FrameworkRecord;
  readonly #random: Random;

  constructor(options: SimulatedFrameworkOptions) {
    this.#options = options;
    this.#record = options.record;
    this.#random = options.random;
  }

  subscribed(driver: Driver, { frameworkId }: Subscription): void {
    const record = this.#record;
    record.calls++;
    record.id = frameworkId;
    record.offers.clear();
    // The driver knows what it launched itself; what it launched in an earlier life is in the record only.
    this.#ask(driver);
    if (this.#wantsOffers) driver.revive();
    else driver.suppress();
  }

  disconnected(): void {
    this.#record.calls++;
    this.#record.offers.clear();
  }

  offers(driver: Driver, offers: readonly Offer[]): void {
    this.#record.calls++;
    const unwanted: Offer[] = [];
    for (const offer of offers) {
      this.#record.offers.set(offer.id, offer);
      if (this.#accept(driver, offer)) continue;
      if (this.#isBusy && this.#random.next() < hoarding) continue;
      unwanted.push(offer);
    }
    if (unwanted.length > 0) {
      for (const { id } of unwanted) this.#record.offers.delete(id);
      driver.decline(unwanted, everything);
    }
    if (!this.#wantsOffers) driver.suppress();
  }

  rescinded(_driver: Driver, offerId: OfferID): void {
    this.#record.calls++;
    this.#record.offers.delete(offerId);
  }

  update(_driver: Driver, status: TaskStatus): void {
    this.#record.calls++;
    this.#options.heard(status);
    const task = this.#record.tasks.get(status.taskId);
    // A master that knows less may say something older.
    if (task === undefined || (task.isOver && !isTerminal(status.state))) return;
    task.state = status.state;
    task.isOver ||= isOver(this.#record, status);
  }

  operationUpdate(): void {
    this.#record.calls++;
  }

  failure(): void {
    this.#record.calls++;
  }

  error(): void {
    this.#record.calls++;
  }

  /** More tasks are wanted. */
  want(driver: Driver, count: number): void {
    this.#record.wanted += count;
    driver.revive();
  }

  /** Wants no more, and cleans up what it reserved. */
  rest(driver: Driver): void {
    this.#record.wanted = 0;
    const held = [...this.#record.offers.values()];
    this.#record.offers.clear();
    if (held.length > 0) driver.decline(held, everything);
    this.#ask(driver);
    if (this.#record.reserves) driver.revive();
    else driver.suppress();
  }

  killOne(driver: Driver): void {
    const running = this.#record.open.filter(({ state }) => state === 'TASK_RUNNING');
    const task = running[Math.floor(this.#random.next() * running.length)];
    if (task !== undefined) driver.kill(task.id, { agentId: task.agentId });
  }

  get #isBusy(): boolean {
    return this.#options.elapsed() < schedule.idle;
  }

  get #wantsOffers(): boolean {
    return this.#record.wanted > 0 || (this.#record.reserves && !this.#isBusy);
  }

  #ask(driver: Driver): void {
    const open = this.#record.open;
    if (open.length > 0) driver.reconcile(open.map(({ id, agentId }) => ({ taskId: id, agentId })));
  }

  /** True if it was answered. */
  #accept(driver: Driver, offer: Offer): boolean {
    const operations = [...this.#tidy(offer)];
    const basket = new Basket(offer);
    if (operations.length === 0 && this.#record.wanted > 0) operations.push(...this.#work(offer, basket));
    if (operations.length === 0) return false;
    this.#record.offers.delete(offer.id);
    driver.accept(offer, operations, everything);
    return true;
  }

  /** Gives up what tasks have left behind: volumes first, then what they were reserved of. */
  *#tidy(offer: Offer): Iterable<Operation> {
    if (!this.#record.reserves || (this.#isBusy && this.#random.next() < 0.5)) return;
    const all = Resources.of(offer.resources);
    const reserved = all.filter(({ reservations }) => (reservations ?? []).length > 0);
    for (const volume of reserved.filter(({ disk }) => disk?.persistence !== undefined))
      yield destroyVolume(volume, { id: this.#operationId() });
    const plain = reserved.filter(({ disk }) => disk?.persistence === undefined);
    if (!plain.isEmpty) yield unreserve(plain, { id: this.#operationId() });
  }

  *#work(offer: Offer, basket: Basket): Iterable<Operation> {
    const record = this.#record;
    if (record.reserves && this.#random.next() < 0.4) {
      const taken = basket.take(needs.reserved, { from: 'unreserved' });
      const disk = basket.take(needs.volume, { from: 'unreserved' });
      if (taken !== undefined && disk !== undefined) {
        const both = reserve(offer, [...taken, ...disk], { id: this.#operationId() });
        const [disks, others] = [
          both.resources.filter(({ name }) => name === 'disk'),
          both.resources.filter(({ name }) => name !== 'disk'),
        ];
        const name = `volume-${++record.numbered}`;
        const volume = createVolume(disks, { persistenceId: name, containerPath: 'data', id: this.#operationId() });
        record.wanted--;
        yield both;
        yield volume;
        yield launch([this.#task(offer, [...others, ...volume.volumes])]);
        return;
      }
    }
    const tasks: TaskInfo[] = [];
    while (record.wanted > 0 && tasks.length < 2) {
      const resources = basket.take(needs.plain);
      if (resources === undefined) break;
      record.wanted--;
      tasks.push(this.#task(offer, resources));
    }
    if (tasks.length > 0) yield launch(tasks);
  }

  /** It is written down before it is launched: a framework that dies in between asks what became of it. */
  #task(offer: Offer, resources: TaskInfo['resources']): TaskInfo {
    const seconds = this.#seconds();
    const command = this.#random.next() < 0.2 ? `sleep ${seconds}; exit 1` : `sleep ${seconds}`;
    const info = shellTask(offer, { id: this.#id(), command, resources });
    this.#record.tasks.set(info.taskId, { id: info.taskId, agentId: offer.agentId, state: undefined, isOver: false });
    return info;
  }

  #id(): string {
    if (this.#options.reusesIds) {
      const over = [...this.#record.tasks.values()].find(({ state }) => state === 'TASK_FINISHED');
      if (over !== undefined) return over.id;
    }
    return `${this.#record.name}.${++this.#record.numbered}`;
  }

  /** Of a task, so that it has ended well before the last look, or runs on beyond it. */
  #seconds(): number {
    const seconds = 3 + Math.round(this.#random.next() ** 2 * 120);
    return this.#options.elapsed() + seconds * 1000 < lastEnd && this.#random.next() < 0.9 ? seconds : 3600;
  }

  #operationId(): string {
    return `${this.#record.name}-${++this.#record.operations}`;
  }
}

/** Whether this is the end. LOST is none to who is not told of partitions: the task may be on an agent out of reach. */
export function isOver({ isPartitionAware }: FrameworkRecord, { state }: TaskStatus): boolean {
  return isTerminal(state) && (state !== 'TASK_LOST' || isPartitionAware);
}
