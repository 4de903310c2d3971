import type { WireSchema } from '@mezzo/process';
import type { Static, TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';

/**
 * What a body from the wire must satisfy, as a compiled check: tens of millions a second, so every message is checked.
 * Fields that the schema does not name are kept, so that nodes of different versions can talk.
 */
export function wire<S extends TSchema>(type: S): WireSchema<Static<S>> {
  let validator: Validator | undefined;
  return {
    '~standard': {
      version: 1,
      vendor: 'mezzo',
      validate(value) {
        // Compiling takes a millisecond, and most programs use few of the messages.
        validator ??= Compile(type);
        if (validator.Check(value)) return { value: value as Static<S> };
        return {
          issues: validator.Errors(value).map(({ message, instancePath }) => ({ message, path: instancePath })),
        };
      },
    },
  };
}
