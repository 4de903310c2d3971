import { message } from '@mezzo/process';
import Type from 'typebox';
import { agentInfo, drainConfig, frameworkInfo, ids, parts, resources, term } from './model.ts';
import { agentOperation, operationRecord, operationStatus } from './operation.ts';
import { executorInfo, statusUpdate, task, taskInfo } from './task.ts';
import { wire } from './wire.ts';

// ---- agent to master

const introduction = {
  agent: agentInfo,
  version: parts.text,
  /** Mesos's names: MULTI_ROLE, HIERARCHICAL_ROLE, AGENT_OPERATION_FEEDBACK, … Absent: those of the oldest agents, none. */
  capabilities: Type.Optional(parts.texts),
  /** Dynamic reservations and volumes that the agent keeps, also while it is down. */
  checkpointedResources: Type.Optional(resources),
};

export const RegisterAgent = message('agent.register', wire(Type.Object(introduction)));

/** Of an agent that has an id already: after it lost its master, was thought lost, or was started again. */
export const ReregisterAgent = message(
  'agent.reregister',
  wire(
    Type.Object({
      ...introduction,
      /** Every task that is not terminal, or whose terminal update is not acknowledged yet. */
      tasks: Type.Array(task),
      /** Executors that have not ended; without those of tasks that are commands. */
      executors: Type.Optional(Type.Array(Type.Object({ frameworkId: ids.frameworkId, executor: executorInfo }))),
      /** Operations that count in the checkpointed resources, and whose end is not acknowledged. Absent: none. */
      operations: Type.Optional(Type.Array(ids.operationUuid)),
      /** The frameworks of those tasks and executors. */
      frameworks: Type.Array(frameworkInfo),
      completedFrameworks: Type.Optional(
        Type.Array(Type.Object({ framework: frameworkInfo, tasks: Type.Array(task) })),
      ),
    }),
  ),
);

/** A planned shutdown: the agent will not come back under this id. */
export const UnregisterAgent = message('agent.unregister', wire(Type.Object({ agentId: ids.agentId })));

export const Pong = message('agent.pong', wire(Type.Object({ agentId: ids.agentId })));

/** Right after every registration, and when any of it changes. */
export const UpdateAgent = message(
  'agent.update-agent',
  wire(
    Type.Object({
      agentId: ids.agentId,
      /** Every operation that the agent has, or whose end is not acknowledged yet. */
      operations: Type.Array(operationRecord),
      /** What may be used as long as its owners do not; absent if that has not changed. */
      oversubscribedResources: Type.Optional(resources),
    }),
  ),
);

/** Sent again until acknowledged when its status has a uuid. */
export const ForwardStatusUpdate = message('agent.update', wire(Type.Object({ update: statusUpdate })));

/** Sent again until acknowledged when its status has a uuid; the answer to a reconciliation has none. */
export const UpdateOperationStatus = message(
  'agent.update-operation',
  wire(
    Type.Object({
      agentId: ids.agentId,
      frameworkId: Type.Optional(ids.frameworkId),
      operationUuid: ids.operationUuid,
      status: operationStatus,
      /** The newest the agent knows, which `status` may lag behind. */
      latestStatus: Type.Optional(operationStatus),
    }),
  ),
);

/** An executor has ended, or one that a launch asked for was never started (status -1). */
export const ExitedExecutor = message(
  'agent.exited-executor',
  wire(
    Type.Object({
      agentId: ids.agentId,
      frameworkId: ids.frameworkId,
      executorId: ids.executorId,
      /** As wait(2) gives it. */
      status: Type.Integer(),
    }),
  ),
);

/** What an executor says to its scheduler; may be lost. */
export const ExecutorMessage = message(
  'agent.executor-message',
  wire(
    Type.Object({
      agentId: ids.agentId,
      frameworkId: ids.frameworkId,
      executorId: ids.executorId,
      data: parts.bytes,
    }),
  ),
);

// ---- master to agent

const registered = Type.Object({
  term,
  agentId: ids.agentId,
  /** Milliseconds without a ping after which the agent looks for a master anew (agent_ping_timeout x max_agent_ping_timeouts). */
  totalPingTimeout: parts.duration,
});

export const AgentRegistered = message('agent.registered', wire(registered));

export const AgentReregistered = message(
  'agent.reregistered',
  wire(
    Type.Object({
      ...registered.properties,
      /** Tasks the master knows on this agent that it did not report; for those it does not have either, it answers with a terminal update. */
      reconcile: Type.Array(Type.Object({ frameworkId: ids.frameworkId, taskId: ids.taskId })),
    }),
  ),
);

/** Every agent_ping_timeout; `connected` is false when the master thinks the agent is not registered. */
export const Ping = message('agent.ping', wire(Type.Object({ term, connected: Type.Boolean() })));

const launch = {
  term,
  framework: frameworkInfo,
  frameworkId: ids.frameworkId,
  /** Whether the master thinks that this starts the executor; an agent that knows better drops the launch. Absent for commands. */
  launchExecutor: Type.Optional(Type.Boolean()),
};

export const RunTask = message('agent.run-task', wire(Type.Object({ ...launch, task: taskInfo })));

/** All of them or none. */
export const RunTaskGroup = message(
  'agent.run-task-group',
  wire(Type.Object({ ...launch, executor: executorInfo, tasks: Type.Array(taskInfo) })),
);

export const KillTask = message(
  'agent.kill-task',
  wire(
    Type.Object({
      term,
      frameworkId: ids.frameworkId,
      taskId: ids.taskId,
      gracePeriod: Type.Optional(parts.duration),
    }),
  ),
);

export const AcknowledgeStatusUpdate = message(
  'agent.acknowledge',
  wire(
    Type.Object({
      term,
      frameworkId: ids.frameworkId,
      taskId: ids.taskId,
      uuid: ids.uuid,
    }),
  ),
);

/** The framework has subscribed, perhaps as another process and changed. */
export const UpdateFramework = message('agent.update-framework', wire(Type.Object({ term, framework: frameworkInfo })));

/** The framework is gone: its tasks are killed and its executors shut down, without updates. */
export const ShutdownFramework = message(
  'agent.shutdown-framework',
  wire(Type.Object({ term, frameworkId: ids.frameworkId })),
);

/** One executor of a framework must end, and with it its tasks. */
export const ShutdownAgentExecutor = message(
  'agent.shutdown-executor',
  wire(Type.Object({ term, frameworkId: ids.frameworkId, executorId: ids.executorId })),
);

/** What a scheduler says to its executor; may be lost. */
export const FrameworkMessage = message(
  'agent.framework-message',
  wire(Type.Object({ term, frameworkId: ids.frameworkId, executorId: ids.executorId, data: parts.bytes })),
);

/** Changes what the agent's resources are: a framework's or an operator's decision. */
export const ApplyOperation = message(
  'agent.apply-operation',
  wire(
    Type.Object({
      term,
      /** Absent for an operator's. */
      frameworkId: Type.Optional(ids.frameworkId),
      operationUuid: ids.operationUuid,
      operation: agentOperation,
    }),
  ),
);

export const AcknowledgeOperationStatus = message(
  'agent.acknowledge-operation',
  wire(Type.Object({ term, operationUuid: ids.operationUuid, uuid: ids.uuid })),
);

/** Operations the master knows on this agent that it did not report; for those it does not have, it answers OPERATION_DROPPED. */
export const ReconcileOperations = message(
  'agent.reconcile-operations',
  wire(
    Type.Object({
      term,
      operations: Type.Array(
        Type.Object({ operationUuid: ids.operationUuid, frameworkId: Type.Optional(ids.frameworkId) }),
      ),
    }),
  ),
);

/** Kill every task, and take no more. */
export const DrainAgent = message('agent.drain', wire(Type.Object({ term, config: drainConfig })));

/** The agent must end; it may not register again under its id. */
export const ShutdownAgent = message('agent.shutdown', wire(Type.Object({ term, message: parts.text })));
