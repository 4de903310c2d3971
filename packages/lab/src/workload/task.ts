import { type Resource, Resources } from '@mezzo/protocol';
import { type Quantities, type ResourceNames } from '../measure/quantities.ts';

/** What tasks of one size need, worked out once. */
export class TaskShape {
  readonly resources: Resources;
  readonly quantities: Quantities;
  /** Unreserved scalars only: whether it fits is a comparison of numbers. */
  readonly isPlain: boolean;
  readonly #entries: readonly Resource[];
  readonly #byRole = new Map<string, readonly Resource[]>();

  constructor(text: string, names: ResourceNames) {
    this.resources = Resources.parse(text);
    this.#entries = this.resources.entries;
    this.quantities = names.quantities(this.#entries);
    this.isPlain = this.#entries.every(
      (resource) => resource.type === 'SCALAR' && isPlain(resource) && names.names.includes(resource.name),
    );
  }

  /** As a task names them; marked with the role where the offer's are. */
  entriesFor(role: string | undefined): readonly Resource[] {
    if (role === undefined) return this.#entries;
    let entries = this.#byRole.get(role);
    if (entries === undefined) this.#byRole.set(role, (entries = this.resources.allocate(role).entries));
    return entries;
  }
}

/** A task that has arrived and is not launched. */
export interface WaitingTask {
  readonly shape: TaskShape;
  /** Milliseconds on the scheduler's clock. */
  readonly arrival: number;
  /** Milliseconds it will run; for ever if undefined. */
  readonly duration: number | undefined;
  readonly fails: boolean;
  /** It was launched before, and failed or was lost. */
  readonly isAgain: boolean;
  /** Where it prefers to be; undefined if it does not care. */
  readonly places: ReadonlySet<string> | undefined;
  /** When it first passed over an offer that would have done, for a place it prefers. */
  passedSince: number | undefined;
}

/** For anybody and anything. */
export function isPlain({ reservations, disk, revocable, providerId, shared }: Resource): boolean {
  return (reservations ?? disk ?? revocable ?? providerId ?? shared) === undefined;
}
