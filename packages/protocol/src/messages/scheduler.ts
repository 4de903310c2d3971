import { message, request } from '@mezzo/process';
import Type from 'typebox';
import { frameworkInfo, ids, parts, term } from './model.ts';
import { filters, inverseOffer, offer } from './offer.ts';
import { operation, operationStatus } from './operation.ts';
import { taskStatus } from './task.ts';
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

const inverse = wire(
  Type.Object({
    frameworkId: ids.frameworkId,
    inverseOfferIds: Type.Array(ids.offerId),
    filters: Type.Optional(filters),
  }),
);

/** The framework will be off the agents by then. */
export const AcceptInverseOffers = message('scheduler.accept-inverse-offers', inverse);
/** The framework will not give up what it has there. */
export const DeclineInverseOffers = message('scheduler.decline-inverse-offers', inverse);

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

/** What the framework is from now on, without a new subscription. `user`, `checkpoint` and `principal` cannot change. */
export const UpdateFramework = request(
  'scheduler.update-framework',
  wire(Type.Object({ framework: frameworkInfo, suppressedRoles: Type.Optional(parts.texts) })),
  /** Without a fault it is done. */
  wire(Type.Object({ fault: Type.Optional(parts.text) })),
);

/** The framework has the update of an operation. */
export const AcknowledgeOperation = message(
  'scheduler.acknowledge-operation',
  wire(
    Type.Object({
      frameworkId: ids.frameworkId,
      agentId: ids.agentId,
      operationId: parts.text,
      uuid: ids.uuid,
    }),
  ),
);

/** Asks for the latest state of the operations named, or of all of the framework's that the master knows. */
export const ReconcileOperations = message(
  'scheduler.reconcile-operations',
  wire(
    Type.Object({
      frameworkId: ids.frameworkId,
      operations: Type.Array(Type.Object({ operationId: parts.text, agentId: Type.Optional(ids.agentId) })),
    }),
  ),
);

/** One of the framework's executors must end, and with it its tasks. */
export const ShutdownExecutor = message(
  'scheduler.shutdown-executor',
  wire(Type.Object({ frameworkId: ids.frameworkId, agentId: ids.agentId, executorId: ids.executorId })),
);

/** For an executor; may be lost. */
export const MessageToExecutor = message(
  'scheduler.message-to-executor',
  wire(
    Type.Object({
      frameworkId: ids.frameworkId,
      agentId: ids.agentId,
      executorId: ids.executorId,
      data: parts.bytes,
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

/** An agent is lost to the framework; with an executor's id only that executor has ended. */
export const Failure = message(
  'scheduler.failure',
  wire(
    Type.Object({
      term,
      agentId: ids.agentId,
      executorId: Type.Optional(ids.executorId),
      /** Of the executor, as wait(2) gives it. */
      status: Type.Optional(Type.Integer()),
    }),
  ),
);

export const InverseOffers = message(
  'scheduler.inverse-offers',
  wire(Type.Object({ term, inverseOffers: Type.Array(inverseOffer) })),
);

export const RescindInverseOffer = message(
  'scheduler.rescind-inverse-offer',
  wire(Type.Object({ term, inverseOfferId: ids.offerId })),
);

export const UpdateOperation = message(
  'scheduler.update-operation',
  wire(Type.Object({ term, status: operationStatus })),
);

/** From an executor; may have been preceded by others that were lost. */
export const MessageFromExecutor = message(
  'scheduler.message-from-executor',
  wire(Type.Object({ term, agentId: ids.agentId, executorId: ids.executorId, data: parts.bytes })),
);

/** The framework is refused or replaced; nothing more will come. */
export const FrameworkError = message('scheduler.error', wire(Type.Object({ term, message: parts.text })));
