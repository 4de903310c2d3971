import { request } from '@mezzo/process';
import { z } from 'zod';

const Order = z.object({ item: z.string(), count: z.int().positive() });
const Left = z.object({ left: z.int() });

/** Takes things from the shelf; the answer says how many are left. */
export const Reserve = request('reserve', Order, Left);
