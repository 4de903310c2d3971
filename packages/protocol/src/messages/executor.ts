import { message } from '@mezzo/process';
import Type from 'typebox';
import { ids, parts, taskInfo, taskStatus } from './model.ts';
import { wire } from './wire.ts';

// ---- executor to agent

/** Kept by the executor until the agent has stored it and says so. */
export const ExecutorUpdate = message(
  'executor.update',
  wire(Type.Object({ frameworkId: ids.frameworkId, executorId: ids.executorId, status: taskStatus })),
);

// ---- agent to executor

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
