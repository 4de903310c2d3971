import { message } from '@mezzo/process';
import Type from 'typebox';
import { filters, frameworkInfo, ids, offer, operation, parts, taskStatus, term } from './model.ts';
import { wire } from './wire.ts';

// ---- scheduler to master: the calls of Mesos's v1 scheduler API

export const Subscribe = message(
  'scheduler.subscribe',
  wire(
    Type.Object({
      framework: frameworkInfo,
      /** Roles without offers until they are revived. Default: none. */
      suppressedRoles: Type.Optional(parts.texts),
    }),
  ),
);

export const Accept = message(
  'scheduler.accept',
  wire(
    Type.Object({
      frameworkId: ids.frameworkId,
      offerIds: Type.Array(ids.offerId),
      operations: Type.Array(operation),
      filters: Type.Optional(filters),
    }),
  ),
);

export const Decline = message(
  'scheduler.decline',
  wire(
    Type.Object({ frameworkId: ids.frameworkId, offerIds: Type.Array(ids.offerId), filters: Type.Optional(filters) }),
  ),
);

/** Offers again at once, filters forgotten; without roles for all of them. */
export const Revive = message(
  'scheduler.revive',
  wire(Type.Object({ frameworkId: ids.frameworkId, roles: Type.Array(Type.String()) })),
);

/** No more offers until revived; without roles for all of them. */
export const Suppress = message(
  'scheduler.suppress',
  wire(Type.Object({ frameworkId: ids.frameworkId, roles: Type.Array(Type.String()) })),
);

export const Kill = message(
  'scheduler.kill',
  wire(
    Type.Object({
      frameworkId: ids.frameworkId,
      taskId: parts.givenTaskId,
      agentId: Type.Optional(ids.agentId),
      /** Milliseconds between TERM and KILL; overrides the task's own. */
      gracePeriod: Type.Optional(parts.duration),
    }),
  ),
);

export const Acknowledge = message(
  'scheduler.acknowledge',
  wire(
    Type.Object({
      frameworkId: ids.frameworkId,
      agentId: ids.agentId,
      taskId: parts.givenTaskId,
      uuid: ids.uuid,
    }),
  ),
);

/** Asks for the latest state of the tasks named, or of all the master knows. */
export const Reconcile = message(
  'scheduler.reconcile',
  wire(
    Type.Object({
      frameworkId: ids.frameworkId,
      tasks: Type.Array(Type.Object({ taskId: parts.givenTaskId, agentId: Type.Optional(ids.agentId) })),
    }),
  ),
);

/** The framework is done: its tasks are killed. */
export const Teardown = message('scheduler.teardown', wire(Type.Object({ frameworkId: ids.frameworkId })));

// ---- master to scheduler: the events

export const Subscribed = message(
  'scheduler.subscribed',
  wire(Type.Object({ term, frameworkId: ids.frameworkId, masterUrl: parts.text })),
);

export const Offers = message('scheduler.offers', wire(Type.Object({ term, offers: Type.Array(offer) })));

export const Rescind = message('scheduler.rescind', wire(Type.Object({ term, offerId: ids.offerId })));

export const Update = message('scheduler.update', wire(Type.Object({ term, status: taskStatus })));

/** An agent is lost to the framework. */
export const Failure = message('scheduler.failure', wire(Type.Object({ term, agentId: ids.agentId })));

/** The framework is refused or replaced; nothing more will come. */
export const FrameworkError = message('scheduler.error', wire(Type.Object({ term, message: parts.text })));
