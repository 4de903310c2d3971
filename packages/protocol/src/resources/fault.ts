/** What is wrong inside a value from outside, and where: the way from the value to the faulty part. */
export interface Fault {
  readonly path: readonly (string | number)[];
  readonly reason: string;
}

export function faultAt(path: Fault['path'], reason: string | undefined): Fault | undefined {
  return reason === undefined ? undefined : { path, reason };
}
