export type { DirectoryLog } from './changes.ts';
export type { ClientRegistration } from './clients.ts';
export type { Directory, DirectoryOptions } from './directory.ts';
export { createDirectory } from './directory.ts';
export type {
  BoundCertificate,
  NewParticipant,
  Participant,
  ParticipantStatus,
  RegisteredClient,
  Role,
  Standing,
} from './participant.ts';
export { checkApproved, PARTICIPANT_STATUSES, ROLES } from './participant.ts';
export * from './register/index.ts';
