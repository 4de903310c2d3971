import { message } from '@mezzo/process';
import Type from 'typebox';
import { agentInfo, frameworkInfo, ids, parts, statusUpdate, task, taskInfo, term } from './model.ts';
import { wire } from './wire.ts';

// ---- agent to master

export const RegisterAgent = message('agent.register', wire(Type.Object({ agent: agentInfo, version: parts.text })));

/** Of an agent that has an id already: after it lost its master, was thought lost, or was started again. */
export const ReregisterAgent = message(
  'agent.reregister',
  wire(
    Type.Object({
      agent: agentInfo,
      version: parts.text,
      /** Every task that is not terminal, or whose terminal update is not acknowledged yet. */
      tasks: Type.Array(task),
      /** The frameworks of those tasks. */
      frameworks: Type.Array(frameworkInfo),
    }),
  ),
);

/** A planned shutdown: the agent will not come back under this id. */
export const UnregisterAgent = message('agent.unregister', wire(Type.Object({ agentId: ids.agentId })));

export const Pong = message('agent.pong', wire(Type.Object({ agentId: ids.agentId })));

/** Sent again until acknowledged when its status has a uuid. */
export const ForwardStatusUpdate = message('agent.update', wire(Type.Object({ update: statusUpdate })));

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

export const RunTask = message(
  'agent.run-task',
  wire(Type.Object({ term, framework: frameworkInfo, frameworkId: ids.frameworkId, task: taskInfo })),
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

/** The framework is gone: its tasks are killed and its executors shut down, without updates. */
export const ShutdownFramework = message(
  'agent.shutdown-framework',
  wire(Type.Object({ term, frameworkId: ids.frameworkId })),
);

/** The agent must end; it may not register again under its id. */
export const ShutdownAgent = message('agent.shutdown', wire(Type.Object({ term, message: parts.text })));
