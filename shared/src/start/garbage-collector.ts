/** Owns what the services change in the garbage collector of V8. */
import { setFlagsFromString } from 'node:v8';

/**
 * Creates all objects in the young generation. V8 otherwise creates objects of a place in the code in the old generation for good, once
 * most of them have survived for a while, as they do in a moment of high load. What belongs to a request then survives the request, and
 * is copied: a third of the processes then took 34 µs of processor time for a call instead of 23, with pauses of 25 ms.
 */
export function keepObjectsYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}
