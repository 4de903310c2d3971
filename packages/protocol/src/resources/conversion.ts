import type { Resources } from './resources.ts';

/** A change of resources that leaves their amounts as they are: what an operation makes of what. */
export interface ResourceConversion {
  readonly consumed: Resources;
  readonly converted: Resources;
  /** After it no copy of what was consumed may remain: a shared volume in use cannot be destroyed. */
  readonly takesEveryCopy?: true;
}

/** An operation or conversion that resources do not admit. */
export class ResourceConversionError extends Error {
  override readonly name = 'ResourceConversionError';
}

/** The same change to resources that are given to nobody, as an agent's total. */
export function unallocatedConversion(conversion: ResourceConversion): ResourceConversion {
  return {
    ...conversion,
    consumed: conversion.consumed.unallocate(),
    converted: conversion.converted.unallocate(),
  };
}
