export { MAXIMUM_POSITIVE_SECONDS, type Memory, rememberPositives, withFallback } from './combined.ts';
export { type AskRegister, createCustomRegister } from './custom.ts';
export {
  createParticipantRegister,
  type ParticipantRegister,
  type ParticipantRegisterOptions,
  type RegisterException,
  type RegisterOccasion,
  refused as registerRefused,
} from './participant-register.ts';
export {
  type AuthorityRegister,
  type RegisterAnswer,
  type RegisterQuestion,
  RegisterUnavailable,
  type RolesByCountry,
} from './register.ts';
export { createRegisterService, type RegisterServiceOptions } from './service.ts';
export { createSnapshotFile, type SnapshotFileOptions } from './snapshot-file.ts';
