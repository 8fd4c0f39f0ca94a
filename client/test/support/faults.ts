/** Owns the servers of a test that are broken in one thing each, with the step of the doctor that has to name it. */
import type { Broken } from './faults/break.ts';
import { ISSUER_FAULTS } from './faults/issuer.ts';
import { METADATA_FAULTS } from './faults/metadata.ts';
import { TRAFFIC_FAULTS } from './faults/traffic.ts';

export const BROKEN: readonly Broken[] = [...METADATA_FAULTS, ...ISSUER_FAULTS, ...TRAFFIC_FAULTS];
