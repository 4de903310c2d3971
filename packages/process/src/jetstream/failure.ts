import { ErrorCode, NatsError } from 'nats';

import { causeOf } from '../nats/cause.ts';

/** What JetStream calls its errors (server/errors.json of nats-server). */
const wrongLast = new Set([10071, 10164]);
const noMessage = 10037;
const noStream = 10059;
const nameInUse = 10058;
const notEnabled = new Set([10039, 10076]);
const standsAlone = 10074;
const noPeers = 10005;

function numberOf(error: unknown): number | undefined {
  return error instanceof NatsError ? error.api_error?.err_code : undefined;
}

function codeOf(error: unknown): string {
  return error instanceof NatsError ? error.code : '';
}

/** Somebody else wrote. */
export function isWrongLast(error: unknown): boolean {
  return wrongLast.has(numberOf(error) ?? 0);
}

export function isNoMessage(error: unknown): boolean {
  return numberOf(error) === noMessage;
}

export function isNoStream(error: unknown): boolean {
  return numberOf(error) === noStream;
}

/** A stream of that name is there already. */
export function isNameInUse(error: unknown): boolean {
  return numberOf(error) === nameInUse;
}

/** The server is in no cluster, so it has nowhere to put replicas. */
export function isAlone(error: unknown): boolean {
  return numberOf(error) === standsAlone;
}

/** Nobody has an ear for JetStream at all: unlike a stream that lost its leader, which comes back. */
export function isNotEnabled(error: unknown): boolean {
  const number = numberOf(error);
  return number === undefined ? codeOf(error) === ErrorCode.NoResponders : notEnabled.has(number);
}

/** It may go better soon: no leader at the moment, no answer, no connection. */
export function isPassing(error: unknown): boolean {
  switch (codeOf(error)) {
    case ErrorCode.NoResponders:
      return !notEnabled.has(numberOf(error) ?? 0) && numberOf(error) !== noPeers;
    case ErrorCode.Timeout:
    case ErrorCode.Disconnect:
    case ErrorCode.ConnectionClosed:
      return true;
    default:
      return false;
  }
}

export const enableJetStream =
  "JetStream is not enabled: put 'jetstream { store_dir: \"/var/lib/nats\" }' into the server's configuration or start it " +
  "with -js; where it has accounts, put 'jetstream: enabled' into ours as well";

/** Why it failed, and what to do. */
export function whyNot(error: unknown, replicas: number | undefined): string {
  const number = numberOf(error) ?? 0;
  if (notEnabled.has(number)) return enableJetStream;
  if (number === standsAlone) {
    return `${replicas} replicas need a cluster of as many servers, and this server is in none: make one, or give replicas: 1`;
  }
  if (number === noPeers) {
    const wanted = replicas ?? 3;
    return `${wanted} replicas need ${wanted} running servers with JetStream and room on their disks, and the cluster has fewer: start them, or give replicas: 1`;
  }
  switch (codeOf(error)) {
    case ErrorCode.NoResponders:
      return 'it has no leader at the moment: do more than half of the servers that hold it run?';
    case ErrorCode.Timeout:
      return 'no answer in time: do more than half of the servers that hold it run?';
    case ErrorCode.Disconnect:
      return 'the connection is lost; it is tried again';
    default:
      return number === 0 ? causeOf(error) : `${causeOf(error)} (JetStream error ${number})`;
  }
}
