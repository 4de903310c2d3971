import type { Message } from '@mezzo/process';
import {
  type AgentInfo,
  agentMessages,
  type DrainConfig,
  type ExecutorInfo,
  FrameworkID,
  type FrameworkInfo,
  type OperationRecord,
  type Resource,
  type StatusUpdate,
  type TaskInfo,
  type Term,
} from '@mezzo/protocol';

const { DrainAgent, ForwardStatusUpdate, Ping, RegisterAgent, RunTaskGroup, UpdateAgent, UpdateFramework } =
  agentMessages;

// What an agent checkpoints came to it in a message, or leaves in one: those messages say what is valid.

const term: Term = { created: 0, revision: 0 };
const frameworkId = FrameworkID('any');
const framework: FrameworkInfo = { name: '', roles: [], failoverTimeout: 0, checkpoint: true, capabilities: [] };
const executor = { executorId: 'any', type: 'DEFAULT', resources: [] };

/** @throws an error that tells what is wrong; so do the others */
export function checkedAgentInfo(value: unknown): AgentInfo {
  return checked(RegisterAgent, { agent: value, version: '' }).agent;
}

export function checkedFrameworkInfo(value: unknown): FrameworkInfo {
  return checked(UpdateFramework, { term, framework: value }).framework;
}

export function checkedExecutorInfo(value: unknown): ExecutorInfo {
  return checked(RunTaskGroup, { term, framework, frameworkId, executor: value, tasks: [] }).executor;
}

export function checkedTaskInfo(value: unknown): TaskInfo {
  const [task] = checked(RunTaskGroup, { term, framework, frameworkId, executor, tasks: [value] }).tasks;
  if (task === undefined) throw new Error('expected a task');
  return task;
}

export function checkedStatusUpdate(value: unknown): StatusUpdate {
  return checked(ForwardStatusUpdate, { update: value }).update;
}

export function checkedDrainConfig(value: unknown): DrainConfig {
  return checked(DrainAgent, { term, config: value }).config;
}

export function checkedTerm(value: unknown): Term {
  return checked(Ping, { term: value, connected: true }).term;
}

export function checkedResources(value: unknown): readonly Resource[] {
  const { checkpointedResources = [] } = checked(RegisterAgent, {
    agent: { hostname: '', resources: [], attributes: {}, url: '' },
    version: '',
    checkpointedResources: value,
  });
  return checkpointedResources;
}

export function checkedOperations(value: unknown): readonly OperationRecord[] {
  return checked(UpdateAgent, { agentId: 'any', operations: value }).operations;
}

/** A part of a checkpoint's content, or an error if the content is no object. */
export function part(content: unknown, name: string): unknown {
  if (typeof content !== 'object' || content === null) throw new Error('expected an object');
  return Object.entries(content).find(([key]) => key === name)?.[1];
}

function checked<T>(kind: Message<T>, body: unknown): T {
  const result = kind.schema?.['~standard'].validate(body);
  if (result === undefined || 'then' in result) throw new Error(`${kind.name} has no schema that answers at once`);
  if (result.issues === undefined) return result.value;
  const [first] = result.issues;
  throw new Error(`${JSON.stringify(first?.path ?? '')}: ${first?.message ?? 'is not valid'}`);
}
