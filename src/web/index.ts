export type { EngineProblem, ErrorPage } from './error-page.ts';
export {
  createManagement,
  type Management,
  type ManagementOptions,
  type ManagementRoute,
  type RouteGuard,
} from './management/api.ts';
export type { ManagementBank } from './management/guard.ts';
export { managementOpenApi } from './management/openapi.ts';
export {
  changeParticipantStatus,
  finishRevocations,
  type OperationRooms,
  type Revoked,
  revokeConsent,
  revokeTokens,
  type TokenOwner,
} from './management/operations.ts';
export { endUnused } from './management/unused.ts';
export type { OwnTexts } from './messages/catalogue.ts';
export type { ConsentKind, Logo, PageBank, TestUser, Words } from './page-bank.ts';
export { createPages, type Pages, type PagesOptions } from './pages.ts';
export { createPortal, type Portal, type PortalOptions } from './portal/portal.ts';
export type { PageLog } from './visit.ts';
