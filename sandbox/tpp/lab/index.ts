import { auditRows } from './audit-rows.ts';
import { clientRows } from './client-rows.ts';
import { matrixRows } from './matrix-rows.ts';
import { paymentRows } from './payment-rows.ts';
import type { LabRow } from './row.ts';
import { standingRows } from './standing-rows.ts';

/** The lab in its order. */
export const labRows: readonly LabRow[] = [...clientRows, ...paymentRows, ...matrixRows, ...standingRows, ...auditRows];
