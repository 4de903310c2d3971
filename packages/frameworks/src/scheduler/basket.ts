import { type Offer, reservationRole, type Resource, Resources, UNRESERVED } from '@mezzo/protocol';

export interface TakeOptions {
  /** Default `any`: reserved resources first, completed with others. */
  readonly from?: 'any' | 'reserved' | 'unreserved';
}

/** What is left of an offer while tasks are packed into it. */
export class Basket {
  readonly offer: Offer;
  #left: Resources;

  constructor(offer: Offer) {
    this.offer = offer;
    this.#left = Resources.of(offer.resources);
  }

  get left(): Resources {
    return this.#left;
  }

  /**
   * Takes what a task needs, reserved resources first, and gives it as the task must name it; undefined if there is not
   * enough left, and then nothing is taken. Whose resources they are in `wanted` plays no part. Persistent volumes are never
   * part of it.
   *
   * @throws ResourcesParseError for text that `Resources.parse` refuses
   */
  take(wanted: Resources | string, { from = 'any' }: TakeOptions = {}): Resource[] | undefined {
    let rest = this.#left.filter((part) => part.disk?.persistence === undefined && isFrom(part, from));
    const all: Resource[] = [];
    for (const need of typeof wanted === 'string' ? Resources.parse(wanted) : wanted) {
      const found = need.type === 'SCALAR' ? scalars(rest, need.name, need.scalar) : whole(rest, need);
      if (found === undefined) return undefined;
      rest = rest.minus(Resources.of(found));
      all.push(...found);
    }
    this.#left = this.#left.minus(Resources.of(all));
    return all;
  }

  /** Takes a persistent volume, as a task or an operation must name it; undefined if there is none with that id. */
  takeVolume(persistenceId: string): Resource | undefined {
    const [volume] = this.#left.filter(({ disk }) => disk?.persistence?.id === persistenceId);
    if (volume !== undefined) this.#left = this.#left.minus(Resources.of([volume]));
    return volume;
  }
}

function isFrom(resource: Resource, from: NonNullable<TakeOptions['from']>): boolean {
  return from === 'any' || isReserved(resource) === (from === 'reserved');
}

function isReserved(resource: Resource): boolean {
  return reservationRole(resource) !== UNRESERVED;
}

/** An amount may be put together from reserved and unreserved parts. */
function scalars(from: Resources, name: string, amount: number): Resource[] | undefined {
  const found: Resource[] = [];
  let missing = amount;
  for (const part of reservedFirst(from)) {
    if (part.type !== 'SCALAR' || part.name !== name || missing === 0) continue;
    const scalar = Math.min(part.scalar, missing);
    found.push({ ...part, scalar });
    // Amounts have three decimals, binary fractions do not.
    missing = Math.round((missing - scalar) * 1000) / 1000;
  }
  return missing === 0 ? found : undefined;
}

/** Ranges and sets must be found in one piece. */
function whole(from: Resources, need: Resource): Resource[] | undefined {
  for (const part of reservedFirst(from)) {
    const candidate: Resource = { ...need, reservations: part.reservations, allocationRole: part.allocationRole };
    if (part.name === need.name && from.contains(Resources.of([candidate]))) return [candidate];
  }
  return undefined;
}

function reservedFirst(resources: Resources): readonly Resource[] {
  return [...resources.filter(isReserved), ...resources.filter((resource) => !isReserved(resource))];
}
