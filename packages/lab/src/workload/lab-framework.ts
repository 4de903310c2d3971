import type { Duration } from '@mezzo/process';
import { SeededRandom } from '@mezzo/process/testing';
import { Basket, type Driver, type Scheduler, shellTask } from '@mezzo/frameworks';
import { isTerminal, type Offer, type OfferID, type TaskID, type TaskInfo, type TaskStatus } from '@mezzo/protocol';
import type { Account, Holding, Ledger } from '../measure/ledger.ts';
import { add, fits, type Quantities, subtract } from '../measure/quantities.ts';
import type { FrameworkResult } from '../result.ts';
import { draw } from '../scenario/distribution.ts';
import type { FrameworkGroup, Needs } from '../scenario/frameworks.ts';
import type { Places } from './places.ts';
import { sleepCommand } from './sleep-command.ts';
import { isPlain, TaskShape, type WaitingTask } from './task.ts';
import { TaskQueue } from './task-queue.ts';
import { type Desk, taskSource, type TaskSource } from './task-source.ts';

export interface LabFrameworkOptions {
  readonly name: string;
  readonly group: FrameworkGroup;
  readonly roles: readonly string[];
  readonly seed: number;
  readonly ledger: Ledger;
  readonly account: Account;
  readonly accountOfRole: (role: string) => Account;
  readonly places: Places;
  /** Milliseconds to the master and back, on average. */
  readonly roundTrip: number;
}

/** An offer that is not answered. */
interface OpenOffer {
  readonly offer: Offer;
  readonly quantities: Quantities;
  /** Undefined if its agent is gone already. */
  readonly holding: Holding | undefined;
  readonly since: number;
}

interface LaunchedTask {
  readonly task: WaitingTask;
  readonly holding: Holding | undefined;
  runs: boolean;
}

/** Tasks that end badly come again. */
const isGood = (state: TaskStatus['state']): boolean => state === 'TASK_FINISHED';

/** A framework of a scenario: its tasks arrive as its kind says, and it answers offers as the scenario says. It keeps the books of what it sees. */
export class LabFramework implements Scheduler {
  readonly name: string;
  readonly account: Account;
  readonly roles: readonly string[];
  readonly #options: LabFrameworkOptions;
  readonly #home: Account;
  readonly #source: TaskSource;
  readonly #shapes = new Map<string, TaskShape>();
  /** Apart from `#behaviour`, so that tasks are the same whatever offers come. */
  readonly #tasksRandom: SeededRandom;
  readonly #behaviour: SeededRandom;
  readonly #arrivals: SeededRandom;
  readonly #queue = new TaskQueue();
  readonly #offers = new Map<OfferID, OpenOffer>();
  readonly #launched = new Map<TaskID, LaunchedTask>();
  readonly #waits: number[] = [];
  readonly #wasted: Quantities;
  readonly #counts = { arrived: 0, launched: 0, finished: 0, lost: 0, local: 0 };
  readonly #answers = { made: 0, accepted: 0, declined: 0, rescinded: 0 };
  #driver: Driver | undefined;
  #desk: Desk | undefined;
  #isSuppressed = false;
  #hasLeft = false;

  constructor(options: LabFrameworkOptions) {
    const { name, group, roles, seed, ledger, account, accountOfRole } = options;
    this.#options = options;
    this.name = name;
    this.account = account;
    this.roles = roles;
    this.#home = accountOfRole(roles[0] ?? '*');
    this.#source = taskSource(group);
    this.#tasksRandom = new SeededRandom(`${seed} tasks of ${name}`);
    this.#behaviour = new SeededRandom(`${seed} behaviour of ${name}`);
    this.#arrivals = new SeededRandom(`${seed} arrivals of ${name}`);
    this.#wasted = ledger.names.zero();
  }

  /** Takes leave: its tasks are killed. */
  leave(now: number): void {
    this.#hasLeft = true;
    for (const open of [...this.#offers.values()]) this.#close(open, now, 'rescinded');
    for (const [id, launched] of this.#launched) this.#end(id, launched, false);
    const { ledger } = this.#options;
    for (const { shape } of this.#queue.clear()) {
      ledger.left(this.#home, this.account, shape.quantities);
      ledger.waits(this.#home, this.account, -1);
    }
    this.#driver?.teardown();
  }

  /** @param now milliseconds at which the run ends: offers that lie until then were of no use */
  result(now: number): FrameworkResult {
    const wasted = [...this.#wasted];
    for (const { quantities, since } of this.#offers.values()) addTimes(wasted, quantities, (now - since) / 1000);
    const { local, ...tasks } = this.#counts;
    const { group, ledger } = this.#options;
    return {
      name: this.name,
      role: this.roles.join(','),
      kind: group.kind,
      tasks: group.locality === undefined ? tasks : { ...tasks, local },
      waits: [...this.#waits],
      offers: { ...this.#answers, wasted: ledger.names.amounts(wasted.map((sum) => Math.round(sum))) },
    };
  }

  // ---- what the driver tells

  subscribed(driver: Driver, { again }: { readonly again: boolean }): void {
    this.#driver = driver;
    if (this.#hasLeft) return driver.teardown();
    for (const open of [...this.#offers.values()]) this.#close(open, driver.now(), 'rescinded');
    if (!again && this.#desk === undefined) {
      this.#desk = {
        random: this.#arrivals,
        submit: (task) => this.#submit(driver, task),
        later: (milliseconds: Duration, call) => driver.delay(milliseconds, call),
      };
      this.#source.begin(this.#desk);
    }
    this.#isSuppressed = false;
    this.#rest(driver);
  }

  offers(driver: Driver, offers: readonly Offer[]): void {
    const { ledger, group, accountOfRole } = this.#options;
    const now = driver.now();
    const answered: OpenOffer[] = [];
    for (const offer of offers) {
      const quantities = ledger.names.quantities(offer.resources);
      const role = accountOfRole(offer.role);
      const holding = ledger.offer(offer.hostname, offer.agentId, role, this.account, quantities);
      const open: OpenOffer = { offer, quantities, holding, since: now };
      this.#offers.set(offer.id, open);
      this.#answers.made++;
      const thinking = draw(group.think, this.#behaviour);
      if (thinking === 0) answered.push(open);
      else driver.delay(thinking, () => this.#answer(driver, [open]));
    }
    this.#answer(driver, answered);
  }

  rescinded(driver: Driver, offerId: OfferID): void {
    const open = this.#offers.get(offerId);
    if (open !== undefined) this.#close(open, driver.now(), 'rescinded');
  }

  disconnected(driver: Driver): void {
    for (const open of [...this.#offers.values()]) this.#close(open, driver.now(), 'rescinded');
  }

  update(driver: Driver, { taskId, state }: TaskStatus): void {
    const launched = this.#launched.get(taskId);
    if (launched === undefined) return;
    if (state === 'TASK_RUNNING') this.#runs(launched, driver.now());
    if (!isTerminal(state)) return;
    this.#end(taskId, launched, isGood(state));
    if (!isGood(state)) {
      const { shape, duration, places } = launched.task;
      const again = { isAgain: true, fails: false, arrival: driver.now(), passedSince: undefined };
      this.#enqueue(driver, { ...again, shape, duration, places });
    }
  }

  // ---- tasks

  #submit(driver: Driver, recorded?: { readonly resources: string; readonly duration: number | undefined }): void {
    const { group, places } = this.#options;
    const random = this.#tasksRandom;
    const chosen = random.next();
    const long = group.kind === 'recorded' || group.duration === undefined ? undefined : draw(group.duration, random);
    const failing = random.next();
    const needs: Needs = group.kind === 'recorded' ? '' : group.resources;
    this.#enqueue(driver, {
      shape: this.#shape(recorded?.resources ?? choose(needs, chosen)),
      duration: recorded === undefined ? long : recorded.duration,
      fails: failing < group.failures,
      places: group.locality && places.draw(group.locality, random),
      arrival: driver.now(),
      isAgain: false,
      passedSince: undefined,
    });
  }

  #enqueue(driver: Driver, task: WaitingTask): void {
    if (this.#hasLeft) return;
    this.#counts.arrived++;
    this.#queue.push(task);
    this.#options.ledger.arrived(this.#home, this.account, task.shape.quantities);
    if (this.#isSuppressed) this.#isSuppressed = !driver.revive();
  }

  #shape(text: string): TaskShape {
    let shape = this.#shapes.get(text);
    if (shape === undefined) this.#shapes.set(text, (shape = new TaskShape(text, this.#options.ledger.names)));
    return shape;
  }

  #runs(launched: LaunchedTask, now: number): void {
    if (launched.runs) return;
    launched.runs = true;
    const { ledger } = this.#options;
    // So long after the epoch, what is below a microsecond is rounding.
    this.#waits.push(Math.round((now - launched.task.arrival) * 1000) / 1000);
    ledger.waits(this.#home, this.account, -1);
    if (launched.holding !== undefined) ledger.runs(launched.holding);
  }

  #end(id: TaskID, { runs, holding }: LaunchedTask, isFinished: boolean): void {
    const { ledger } = this.#options;
    this.#launched.delete(id);
    this.#counts[isFinished ? 'finished' : 'lost']++;
    if (!runs) ledger.waits(this.#home, this.account, -1);
    if (holding !== undefined) ledger.release(holding);
  }

  // ---- offers

  #answer(driver: Driver, offers: readonly OpenOffer[]): void {
    const { group, ledger } = this.#options;
    const filters = { refuseSeconds: group.refuse };
    const declined: Offer[] = [];
    for (const open of offers) {
      const { offer, holding } = open;
      // It may have been rescinded meanwhile.
      if (this.#offers.get(offer.id) !== open) continue;
      const isWanted = this.#queue.size > 0 && (group.accept === 1 || this.#behaviour.next() < group.accept);
      const chosen = isWanted ? this.#choose(open, driver.now()) : [];
      if (chosen.length === 0) {
        this.#close(open, driver.now(), 'declined');
        declined.push(offer);
        continue;
      }
      this.#offers.delete(offer.id);
      this.#answers.accepted++;
      if (holding !== undefined) ledger.release(holding);
      const tasks = chosen.map(({ info, task }) => this.#launch(open, info, task));
      driver.accept(offer, tasks, filters);
    }
    // In one message: a large cluster offers thousands at a time.
    if (declined.length > 0) driver.decline(declined, filters);
    this.#rest(driver);
  }

  /** Tasks that fit into the offer together, with the resources they take. */
  #choose(open: OpenOffer, now: number): readonly { readonly info: TaskInfo; readonly task: WaitingTask }[] {
    const { group, places } = this.#options;
    const { offer } = open;
    const given = offer.resources[0]?.allocationRole;
    const isPlainOffer = offer.resources.every(isPlain);
    let basket: Basket | undefined;
    const left = [...open.quantities];
    const chosen: { info: TaskInfo; task: WaitingTask }[] = [];
    const place = group.locality && places.placeOf(offer, group.locality.level);
    let resources: TaskInfo['resources'] | undefined;
    this.#queue.take(
      group.tasksPerOffer ?? Infinity,
      (task) => {
        const { shape } = task;
        if (!fits(shape.quantities, left)) return false;
        if (group.locality !== undefined && task.places?.has(place ?? '') !== true) {
          task.passedSince ??= now;
          if (now - task.passedSince < group.locality.wait) return false;
        }
        if (isPlainOffer && shape.isPlain) resources = [...shape.entriesFor(given)];
        else {
          basket ??= new Basket(offer);
          resources = basket.take(shape.resources);
        }
        return resources !== undefined;
      },
      (task) => {
        subtract(left, task.shape.quantities);
        const id = `${this.name}-${this.#counts.launched++}`;
        if (place !== undefined && task.places?.has(place) === true) this.#counts.local++;
        const command = sleepCommand(task.duration, task.fails);
        chosen.push({ info: shellTask(offer, { id, command, resources: resources ?? [] }), task });
        this.#options.ledger.left(this.#home, this.account, task.shape.quantities);
        if (this.#desk !== undefined && !task.isAgain) this.#source.launched?.(this.#desk);
      },
    );
    return chosen;
  }

  #launch({ holding: offered }: OpenOffer, info: TaskInfo, task: WaitingTask): TaskInfo {
    const holding = offered && this.#options.ledger.use(offered, task.shape.quantities);
    this.#launched.set(info.taskId, { task, holding, runs: false });
    return info;
  }

  #close(open: OpenOffer, now: number, how: 'declined' | 'rescinded'): void {
    this.#offers.delete(open.offer.id);
    this.#answers[how]++;
    // The master gave it away one latency before we heard of it, and gets it back one after we said so.
    const travel = how === 'declined' ? this.#options.roundTrip : 0;
    addTimes(this.#wasted, open.quantities, (now - open.since + travel) / 1000);
    if (open.holding !== undefined) this.#options.ledger.release(open.holding);
  }

  /** With nothing to launch it wants no offers, if it is polite. */
  #rest(driver: Driver): void {
    if (this.#options.group.idle === 'decline' || this.#isSuppressed || this.#queue.size > 0) return;
    this.#isSuppressed = driver.suppress();
  }
}

function addTimes(sum: Quantities, quantities: Quantities, times: number): void {
  if (times > 0)
    add(
      sum,
      quantities.map((quantity) => quantity * times),
    );
}

/** @param chance 0 to 1 */
function choose(needs: Needs, chance: number): string {
  if (typeof needs === 'string') return needs;
  let left = chance * needs.reduce((sum, { probability }) => sum + probability, 0);
  for (const { resources, probability } of needs) {
    left -= probability;
    if (left < 0) return resources;
  }
  return needs.at(-1)?.resources ?? '';
}
