import Type, { type Static } from 'typebox';
import { LIVE_TASK_STATES, TERMINAL_TASK_STATES } from '../lifecycle/task-state.ts';
import { ids, labels, parts, resources } from './model.ts';

const { bytes, givenTaskId, text, textMap, texts, time } = parts;

export const taskStates = [...LIVE_TASK_STATES, ...TERMINAL_TASK_STATES, 'TASK_UNREACHABLE', 'TASK_UNKNOWN'] as const;
export type TaskState = (typeof taskStates)[number];
export const taskState = Type.Unsafe<TaskState>(Type.Enum([...taskStates]));

/** Also Infinity, which is no number for most schemas. */
const amount = Type.Refine(
  Type.Unsafe<number>(Type.Unknown()),
  (value) => typeof value === 'number' && !Number.isNaN(value),
);

const terminalStates: ReadonlySet<TaskState> = new Set(TERMINAL_TASK_STATES);

/** True for the states that a task never leaves. */
export function isTerminal(state: TaskState): boolean {
  return terminalStates.has(state);
}

export type StatusSource = 'SOURCE_MASTER' | 'SOURCE_AGENT' | 'SOURCE_EXECUTOR';

export const commandInfo = Type.Object({
  /** A line for `/bin/sh -c`, or the program if `shell` is false. */
  value: text,
  shell: Type.Boolean(),
  /** The program's argv, its own name first, as in Mesos and execvp; not looked at if `shell` is true. */
  arguments: texts,
  environment: textMap,
  user: Type.Optional(text),
});
export type CommandInfo = Static<typeof commandInfo>;

/**
 * What runs tasks of a framework on an agent. CUSTOM is a program of the framework's own, DEFAULT runs task groups. A task
 * without an executor gets one of its own that runs its command.
 */
export const executorInfo = Type.Object({
  executorId: ids.executorId,
  type: Type.Enum(['CUSTOM', 'DEFAULT']),
  frameworkId: Type.Optional(ids.frameworkId),
  name: Type.Optional(text),
  /** Of a CUSTOM executor. */
  command: Type.Optional(commandInfo),
  /** What it needs itself, beside its tasks. */
  resources,
  source: Type.Optional(text),
  /** Milliseconds between SHUTDOWN and its end by force (executor_shutdown_grace_period, 5 s). */
  shutdownGracePeriod: Type.Optional(Type.Number()),
  labels: Type.Optional(labels),
  data: Type.Optional(bytes),
});
export type ExecutorInfo = Static<typeof executorInfo>;

export const taskInfo = Type.Object({
  taskId: givenTaskId,
  name: text,
  agentId: ids.agentId,
  resources,
  /** This or `executor`; what is wrong gets TASK_ERROR. */
  command: Type.Optional(commandInfo),
  executor: Type.Optional(executorInfo),
  /** How long, in milliseconds, a task may go on after TERM. Mesos's default is 3 s. */
  killGracePeriod: Type.Optional(Type.Number()),
  /** Milliseconds after its launch at which a task is killed, and failed. */
  maxCompletionTime: Type.Optional(Type.Number()),
  /** What it may use at most, where that is more than its `resources`; Infinity for no limit. */
  limits: Type.Optional(Type.Record(Type.String(), amount)),
  labels: Type.Optional(textMap),
  data: Type.Optional(bytes),
});
export type TaskInfo = Static<typeof taskInfo>;

export const taskStatus = Type.Object({
  taskId: givenTaskId,
  state: taskState,
  source: Type.Unsafe<StatusSource>(Type.Enum(['SOURCE_MASTER', 'SOURCE_AGENT', 'SOURCE_EXECUTOR'])),
  /** Mesos's v1 name, such as REASON_AGENT_REMOVED. */
  reason: Type.Optional(text),
  message: Type.Optional(text),
  agentId: Type.Optional(ids.agentId),
  executorId: Type.Optional(ids.executorId),
  timestamp: time,
  /** Present when the update must be acknowledged. */
  uuid: Type.Optional(ids.uuid),
  data: Type.Optional(bytes),
  healthy: Type.Optional(Type.Boolean()),
  /** Since when the task's agent has been unreachable. */
  unreachableTime: Type.Optional(time),
});
export type TaskStatus = Static<typeof taskStatus>;

/** A task as master and agent remember it, and as an agent reports it when it registers again. */
export const task = Type.Object({
  taskId: ids.taskId,
  frameworkId: ids.frameworkId,
  agentId: ids.agentId,
  name: text,
  /** The newest state the agent knows of. */
  state: taskState,
  resources,
  /** Absent for a task that is a command. */
  executorId: Type.Optional(ids.executorId),
  /** One per state entered, oldest first, without data. */
  statuses: Type.Array(taskStatus),
  /** Of the update that is on its way to the framework, which `state` may be ahead of. */
  statusUpdateState: Type.Optional(taskState),
  statusUpdateUuid: Type.Optional(ids.uuid),
  user: Type.Optional(text),
  labels: Type.Optional(textMap),
});
export type Task = Static<typeof task>;

export const statusUpdate = Type.Object({
  frameworkId: ids.frameworkId,
  agentId: ids.agentId,
  status: taskStatus,
  /** The newest state the agent knows, which the head of the update stream may lag behind. */
  latestState: taskState,
});
export type StatusUpdate = Static<typeof statusUpdate>;
