import { message } from '@mezzo/process';
import Type from 'typebox';
import { agentInfo, frameworkInfo, ids, parts } from './model.ts';
import { executorInfo, taskInfo, taskStatus } from './task.ts';
import { wire } from './wire.ts';

// ---- executor to agent

const executor = { frameworkId: ids.frameworkId, executorId: ids.executorId };

/** The first message of an executor that is a program of its own. */
export const RegisterExecutor = message('executor.register', wire(Type.Object(executor)));

/** Of an executor that has registered before: its agent was away. */
export const ReregisterExecutor = message(
  'executor.reregister',
  wire(
    Type.Object({
      ...executor,
      /** Tasks that it has and of which the agent has acknowledged no update yet. */
      tasks: Type.Array(taskInfo),
      /** What the agent has not acknowledged, oldest first. */
      updates: Type.Array(taskStatus),
    }),
  ),
);

/** For its scheduler; may be lost. */
export const ExecutorToFramework = message(
  'executor.to-framework',
  wire(Type.Object({ ...executor, data: parts.bytes })),
);

/** Kept by the executor until the agent has stored it and says so. */
export const ExecutorUpdate = message(
  'executor.update',
  wire(Type.Object({ frameworkId: ids.frameworkId, executorId: ids.executorId, status: taskStatus })),
);

// ---- agent to executor

export const ExecutorRegistered = message(
  'executor.registered',
  wire(
    Type.Object({
      executor: executorInfo,
      framework: frameworkInfo,
      agentId: ids.agentId,
      agent: agentInfo,
      containerId: ids.containerId,
    }),
  ),
);

/** To those that an agent finds when it is started again. */
export const ReconnectExecutor = message('executor.reconnect', wire(Type.Object({ agentId: ids.agentId })));

export const ExecutorReregistered = message(
  'executor.reregistered',
  wire(Type.Object({ agentId: ids.agentId, agent: agentInfo })),
);

/** All of them start, or none does. */
export const LaunchTaskGroup = message(
  'executor.launch-group',
  wire(Type.Object({ frameworkId: ids.frameworkId, tasks: Type.Array(taskInfo), sandbox: parts.text })),
);

/** From its scheduler; may be lost. */
export const FrameworkToExecutor = message('executor.from-framework', wire(Type.Object({ data: parts.bytes })));

export const LaunchTask = message(
  'executor.launch',
  wire(Type.Object({ frameworkId: ids.frameworkId, task: taskInfo, sandbox: parts.text })),
);

export const KillExecutorTask = message(
  'executor.kill',
  wire(Type.Object({ taskId: ids.taskId, gracePeriod: Type.Optional(parts.duration) })),
);

/** The agent has stored the update: it need not be sent again. */
export const AcknowledgeExecutorUpdate = message(
  'executor.acknowledge',
  wire(Type.Object({ taskId: ids.taskId, uuid: ids.uuid })),
);

export const ShutdownExecutor = message('executor.shutdown', wire(Type.Object({})));
