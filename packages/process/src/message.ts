/** The part of the Standard Schema interface (standardschema.dev, version 1) that this library calls. */
export interface WireSchema<T> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>;
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
  };
}

export type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: unknown }[] };

/** A kind of message: its name on the wire and the type of its body. Without a schema it never crosses a wire. */
export interface Message<T> {
  readonly name: string;
  readonly schema: WireSchema<T> | undefined;
}

/** The type of a message kind's body. */
export type BodyOf<M> = M extends Message<infer T> ? T : never;

/**
 * Declares a kind of message. Two declarations with the same name are the same kind.
 *
 * @param schema what a body from the wire must satisfy: any synchronous Standard Schema (zod, TypeBox, valibot, …). Bytes in
 *   such a body are a view of the received frame (64 KB and more): copy what you keep.
 */
export function message<T = void>(name: string, schema?: WireSchema<T>): Message<T> {
  return { name, schema };
}
