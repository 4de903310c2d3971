import v8 from 'node:v8';
import vm from 'node:vm';

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;

/** How many of the objects something still refers to. Await a macrotask first: a WeakRef holds its object until the turn ends. */
export function countAlive(references: readonly WeakRef<object>[]): number {
  collectGarbage();
  return references.filter((reference) => reference.deref() !== undefined).length;
}
