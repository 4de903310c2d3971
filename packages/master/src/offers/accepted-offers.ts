import type { BodyOf } from '@mezzo/process';
import {
  agentMessages,
  type AgentOperation,
  type ExecutorInfo,
  type Filters,
  type Operation,
  type ResourceConversion,
  ResourceConversionError,
  Resources,
  type TaskInfo,
} from '@mezzo/protocol';
import type { Agent } from '../agents/agent.ts';
import type { MasterExecutor } from '../agents/agent-executors.ts';
import type { Framework } from '../frameworks/framework.ts';
import { type MasterContext, sendToAgent } from '../master-context.ts';
import type { Operations } from '../operations/operations.ts';
import { MasterTask } from '../tasks/master-task.ts';
import type { Tasks } from '../tasks/tasks.ts';
import { judgeOperation } from '../validation/operation.ts';
import { judgeGroup, judgeTask, type TaskSetting } from '../validation/task.ts';
import type { Offers } from './offers.ts';

interface Parts {
  readonly context: MasterContext;
  readonly tasks: Tasks;
  readonly operations: Operations;
  readonly offers: Offers;
}

interface Accepted {
  readonly framework: Framework;
  readonly agent: Agent;
  readonly role: string;
  /** With the role. */
  readonly resources: Resources;
}

/** Offers of one agent that a framework has accepted together, while its operations are carried out one after the other. */
export class AcceptedOffers {
  readonly #parts: Parts;
  readonly #framework: Framework;
  readonly #agent: Agent;
  readonly #role: string;
  /** What the next operation may use. */
  #available: Resources;
  /** What no operation has touched. */
  #untouched: Resources;
  /** What volumes became that were resized: to be used with the next offer only. */
  #later = Resources.empty;

  constructor(parts: Parts, { framework, agent, role, resources }: Accepted) {
    this.#parts = parts;
    this.#framework = framework;
    this.#agent = agent;
    this.#role = role;
    this.#available = resources;
    this.#untouched = resources;
  }

  perform(operations: readonly Operation[]): void {
    for (const operation of operations) {
      if (operation.type === 'LAUNCH') for (const task of operation.tasks) this.#launch(task);
      else if (operation.type === 'LAUNCH_GROUP') this.#launchGroup(operation.executor, operation.tasks);
      else this.#convert(operation);
    }
  }

  /** What was made of the offers and not used is offered again at once, what was left alone after the filters. */
  giveBackRest(filters: Filters): void {
    const { allocator } = this.#parts.context;
    const untouched = common(this.#available, this.#untouched);
    const made = this.#available.minus(untouched).plus(this.#later);
    allocator.recoverOffered(this.#framework.id, this.#agent.id, made);
    allocator.recoverOffered(this.#framework.id, this.#agent.id, untouched, filters);
  }

  #launch(task: TaskInfo): void {
    const judged = judgeTask(task, this.#setting);
    if (judged.fault !== undefined) {
      const cause = { reason: 'REASON_TASK_INVALID', message: judged.fault };
      this.#parts.tasks.refuse(this.#framework, task, 'TASK_ERROR', cause);
      return;
    }
    const { resources, executor } = judged;
    this.#use(resources, executor);
    this.#addTask(task, resources);
    const info =
      task.executor === undefined ? task : { ...task, executor: { ...task.executor, frameworkId: this.#framework.id } };
    sendToAgent(this.#parts.context, this.#agent, agentMessages.RunTask, {
      ...this.#launchOrder,
      task: { ...info, resources: [...resources] },
      ...(task.executor === undefined ? undefined : { launchExecutor: executor !== undefined }),
    });
  }

  #launchGroup(given: ExecutorInfo, tasks: readonly TaskInfo[]): void {
    const judged = judgeGroup(tasks, given, this.#setting);
    if (judged.fault !== undefined) {
      const cause = { reason: 'REASON_TASK_GROUP_INVALID', message: judged.fault };
      for (const task of tasks) this.#parts.tasks.refuse(this.#framework, task, 'TASK_ERROR', cause);
      return;
    }
    const { executor: added } = judged;
    this.#use(Resources.sum(judged.tasks), added);
    const executor = { ...given, frameworkId: this.#framework.id };
    const launched = tasks.map((task, index) => {
      const resources = judged.tasks[index] ?? Resources.empty;
      this.#addTask({ ...task, executor }, resources);
      return { ...task, executor, resources: [...resources] };
    });
    sendToAgent(this.#parts.context, this.#agent, agentMessages.RunTaskGroup, {
      ...this.#launchOrder,
      executor: { ...executor, resources: [...Resources.of(executor.resources).allocate(this.#role)] },
      tasks: launched,
      launchExecutor: added !== undefined,
    });
  }

  #addTask(task: TaskInfo, resources: Resources): void {
    const { taskId: id, name, labels, executor } = task;
    const { user } = this.#framework.info;
    const executorId = executor?.executorId;
    const frameworkId = this.#framework.id;
    this.#parts.tasks.add(
      new MasterTask({ id, frameworkId, agentId: this.#agent.id, name, resources, user, labels, executorId }),
    );
  }

  /** Tasks and a new executor take it; shared resources stay for others, each user has a copy of its own. */
  #use(tasks: Resources, executor: MasterExecutor | undefined): void {
    const { allocator } = this.#parts.context;
    const { id: frameworkId } = this.#framework;
    const used = executor === undefined ? tasks : tasks.plus(executor.resources);
    const copies = used.shared();
    if (!copies.isEmpty) {
      const another = { consumed: Resources.empty, converted: copies };
      allocator.convertOffered(frameworkId, this.#agent.id, common(this.#available, copies), [another]);
    }
    if (executor !== undefined) this.#agent.addExecutor(executor);
    allocator.use(frameworkId, this.#agent.id, used);
    this.#take(used.nonShared());
  }

  #convert(given: AgentOperation): void {
    const { operations, context, offers } = this.#parts;
    const requester = { kind: 'framework', framework: this.#framework, role: this.#role } as const;
    const judged = judgeOperation(given, requester, this.#agent, this.#agent.used);
    if (judged.fault !== undefined) return operations.refuse(this.#framework, given, this.#agent.id, judged.fault);
    const { operation, conversions } = judged;
    const isResize = operation.type === 'GROW_VOLUME' || operation.type === 'SHRINK_VOLUME';
    try {
      let available = this.#available;
      for (const conversion of conversions) available = available.apply(conversion);
    } catch (error) {
      if (!(error instanceof ResourceConversionError)) throw error;
      return operations.refuse(
        this.#framework,
        given,
        this.#agent.id,
        `Invalid ${given.type} operation: ${error.message}`,
      );
    }
    if (operation.type === 'DESTROY') offers.rescindHolding(this.#agent, operation.volumes);
    for (const conversion of conversions) this.#become(conversion, isResize);
    operations.apply(this.#agent, operation, this.#framework.id);
    context.log.info(
      { frameworkId: this.#framework.id, agentId: this.#agent.id },
      `performs ${operation.type} on what was offered`,
    );
  }

  #become(conversion: ResourceConversion, isResize: boolean): void {
    const { allocator } = this.#parts.context;
    const { consumed, converted } = conversion;
    allocator.convertOffered(this.#framework.id, this.#agent.id, consumed, [conversion]);
    this.#agent.convert(conversion);
    this.#take(consumed);
    if (isResize) this.#later = this.#later.plus(converted);
    else this.#available = this.#available.plus(converted);
  }

  #take(resources: Resources): void {
    this.#available = this.#available.minus(resources);
    this.#untouched = common(this.#untouched, this.#available);
  }

  get #setting(): TaskSetting {
    return { framework: this.#framework, agent: this.#agent, role: this.#role, available: this.#available };
  }

  get #launchOrder(): Pick<BodyOf<typeof agentMessages.RunTask>, 'term' | 'framework' | 'frameworkId'> {
    return {
      term: this.#parts.context.term,
      framework: this.#framework.info,
      frameworkId: this.#framework.id,
    };
  }
}

/** What both hold. */
function common(left: Resources, right: Resources): Resources {
  return left.minus(left.minus(right));
}
