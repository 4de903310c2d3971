import type { Cell } from '../cell.ts';
import type { Linker } from '../extras.ts';
import { ProcessError } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import type { Subscription, Transport } from '../transport.ts';
import { Door, type DoorNode, type DoorOptions } from './door.ts';

/** The doors of one node. */
export class Doors {
  readonly #runtime: Runtime;
  readonly #node: DoorNode;
  readonly #transport: Pick<Transport, 'open'>;
  readonly #open = new Map<string, Door>();

  constructor(runtime: Runtime, node: DoorNode, transport: Pick<Transport, 'open'>) {
    this.#runtime = runtime;
    this.#node = node;
    this.#transport = transport;
  }

  /** Throws DOOR_NAME_INVALID, or DOOR_NAME_TAKEN by another process of this node. */
  open(cell: Cell, name: string, options: DoorOptions): Subscription {
    if (this.#open.has(name)) {
      throw new ProcessError(
        'DOOR_NAME_TAKEN',
        `Cannot open door '${name}' to '${cell.id}': '${this.#open.get(name)?.cell.id}' of this node has it; choose another name`,
      );
    }
    const linkers = (cell.extras.linkers ??= new Set<Linker>());
    const close = (): void => {
      if (this.#open.get(name) !== door) return;
      this.#open.delete(name);
      linkers.delete(door);
      subscription.cancel();
    };
    const door = new Door(this.#runtime, this.#node, cell, name, options, close);
    const subscription = this.#transport.open(name, (message) => door.receive(message));
    this.#open.set(name, door);
    linkers.add(door);
    return { cancel: close };
  }
}
