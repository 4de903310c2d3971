import { CallChain, chainLimit } from '../call-chain.ts';
import type { EventMeta } from '../event.ts';
import { PID } from '../pid.ts';
import type { Tracing, TracingCarrier } from '../tracing.ts';

/** Entries of a tracing carrier, and characters of each, that a node takes from another: W3C's headers are two of 512. */
const carrierEntries = 16;
const carrierCharacters = 8192;
/** Characters of a caller's id: what came from one node goes on to others with every question. */
const idCharacters = 1024;

/** `[callers, carrier?]`; of each caller, the first asker first: id, node, incarnation, generation, turn. */
type WireMeta = readonly [callers: readonly unknown[], carrier?: TracingCarrier];

export function encodeMeta(meta: EventMeta, tracing: Tracing | undefined): WireMeta | undefined {
  const callers = [...(meta.chain ?? [])].reverse().map(callerOf);
  const carrier = meta.trace === undefined ? undefined : attempt(() => tracing?.inject(meta.trace));
  if (carrier !== undefined && Object.keys(carrier).length > 0) return [callers, carrier];
  return callers.length === 0 ? undefined : [callers];
}

/** Undefined for what nobody of this library would send; then the message goes on without. */
export function decodeMeta(value: unknown, tracing: Tracing | undefined): EventMeta | undefined {
  if (!Array.isArray(value)) return undefined;
  const [callers, carrier]: unknown[] = value;
  if (!Array.isArray(callers) || callers.length > chainLimit) return undefined;
  let chain: CallChain | undefined;
  for (const caller of callers) {
    chain = chainOf(caller, chain);
    if (chain === undefined) return undefined;
  }
  const trace = tracing !== undefined && isCarrier(carrier) ? attempt(() => tracing.extract(carrier)) : undefined;
  return chain === undefined && trace === undefined ? undefined : { chain, trace };
}

/** A message goes its way, whatever the tracing library makes of its context. */
function attempt<T>(trace: () => T): T | undefined {
  try {
    return trace();
  } catch {
    return undefined;
  }
}

function callerOf({ pid, turn }: CallChain): unknown[] {
  return [pid.id, pid.node, pid.incarnation, pid.generation, turn];
}

function chainOf(value: unknown, caller: CallChain | undefined): CallChain | undefined {
  if (!Array.isArray(value)) return undefined;
  const [id, node, incarnation, generation, turn]: unknown[] = value;
  if (typeof id !== 'string' || typeof node !== 'string') return undefined;
  if (id.length > idCharacters || node.length > idCharacters) return undefined;
  if (typeof incarnation !== 'number' || typeof generation !== 'number' || typeof turn !== 'number') return undefined;
  return new CallChain(new PID(id, node, incarnation, generation), turn, caller);
}

function isCarrier(value: unknown): value is TracingCarrier {
  if (typeof value !== 'object' || value === null) return false;
  const entries: [string, unknown][] = Object.entries(value);
  return (
    entries.length <= carrierEntries &&
    entries.every(([key, text]) => typeof text === 'string' && key.length + text.length <= carrierCharacters)
  );
}
