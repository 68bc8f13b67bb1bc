import { portalEn } from './portal-en.ts';

/** The texts of the bank's pages in English: the reference for the keys and their placeholders. */
export const en = {
  ...portalEn,

  'language.name': 'English',
  'language.choose': 'Language',
  'page.skip': 'Skip to the content',
  'page.problem': 'Problem',
  'page.address': 'You are at {bank}: check that your browser shows {origin}.',

  'signIn.title': 'Sign in to {bank}',
  'signIn.asking': '{participant} asks to see data that {bank} keeps for you.',
  'signIn.nothingShared': 'Nothing has been shared yet. Sign in first; then you decide what {participant} may see.',
  'signIn.username': 'User name',
  'signIn.password': 'Password',
  'signIn.submit': 'Sign in',
  'signIn.failed': 'That did not work. Check your user name and your password, then try again.',
  'signIn.locked': 'There were too many attempts. To protect you, you cannot sign in until {time}.',
  'signIn.forgotten': 'Forgotten your user name or password?',
  'signIn.forgottenText':
    'Contact {bank} the way you always do, then start again in the app or site you came from. Never give your password to {participant}: it is asked for on this page only.',
  'signIn.cancel': 'Cancel and go back',
  'signIn.testUsers': 'Sandbox: users to try',
  'signIn.testUsersText': 'This bank is not real. Sign in with one of these:',
  'signIn.testUser': 'user name {username}, password {password}',

  'consent.title': 'Share data with {participant}?',
  'consent.intro': 'Nothing has been shared yet. You decide.',
  'consent.who': 'Who is asking',
  'consent.participantName': 'Registered name',
  'consent.registrationNumber': 'Registration number',
  'consent.standing': 'Standing',
  'consent.approved': 'Approved in the directory of participants',
  'consent.what': 'What {participant} will be able to do',
  'consent.accounts': 'Accounts to share',
  'consent.accountsHint': 'Tick the accounts you want to share. {participant} cannot see those you leave unticked.',
  'consent.noneTicked': 'Tick at least one account, or cancel if you want to share nothing.',
  'consent.noAccounts': '{bank} keeps no account for you that could be shared. Cancel to go back to {participant}.',
  'consent.howLong': 'How long',
  'consent.until': 'Access lasts {days} days and ends by itself on {date}.',
  'consent.withdraw': 'How to stop earlier',
  'consent.withdrawPortal': 'You can stop sharing at any time, at once and without giving a reason, here:',
  'consent.withdrawBank': 'You can stop sharing at any time, at once and without giving a reason: tell {bank}.',
  'consent.portal': 'customer portal of {bank}',
  'consent.return': 'After your answer you go back to {participant} at {host}.',
  'consent.agree': 'Agree and share',
  'consent.cancel': 'Cancel, share nothing',

  'decided.title': 'This request has been answered',
  'decided.Authorised': 'You agreed to share data with {participant} until {date}.',
  'decided.Consumed': 'You agreed, and {participant} has used your agreement.',
  'decided.Rejected': 'You declined. {participant} was given nothing.',
  'decided.Revoked': 'Sharing with {participant} was stopped. Nothing is shared any more.',
  'decided.Expired': 'The time for this request is over. Nothing is shared.',
  'decided.next': 'You can close this page, or go back to the app or site you came from.',

  'expired.title': 'The time for this request is over',
  'expired.text':
    'To protect you, {bank} keeps a request open for a few minutes only. Nothing was shared with {participant}.',
  'expired.next': 'Go back to {participant}: it is told that you did not agree, and you can start again there.',
  'expired.return': 'Return to {participant}',

  'error.title': 'This did not work',
  'problem.interaction_expired':
    'This request has expired, was opened in another browser, or has been answered already. Nothing was changed by opening it.',
  'problem.csrf_invalid': 'The answer did not come from the page we gave to this browser, so we ignored it.',
  'problem.field_invalid': 'The answer names something that is not yours to share, so nothing was shared.',
  'problem.body_malformed': 'The answer could not be read, so nothing was changed.',
  'problem.upstream_unavailable': '{bank} cannot look up your data at the moment. Nothing was changed.',
  'problem.consent_store_unavailable': '{bank} cannot store your answer at the moment. Nothing was shared.',
  'problem.audit_unavailable': '{bank} cannot record what happens at the moment, so nothing was done.',
  'problem.consent_status_invalid': 'This request has been answered already, or its time is over.',
  'problem.participant_suspended':
    'The company that asks for your data may not do so at present. Nothing was shared with it.',
  'problem.not_found': 'There is no page at this address.',
  'problem.method_not_allowed': 'This address does not take what the browser sent.',
  'problem.access_denied': 'The request was declined. Nothing was shared.',
  'problem.invalid_request': 'The app or site you came from sent a request that we cannot accept. Nothing was shared.',
  'problem.invalid_client': 'The app or site you came from is not known to {bank}. Nothing was shared.',
  'problem.invalid_redirect_uri':
    'The app or site you came from wants the answer sent to an address that it has not registered. Nothing was shared.',
  'problem.internal_error': 'Something went wrong at {bank}. Nothing was shared.',
  'problem.other': 'The request cannot be continued. Nothing was shared.',
  'error.restart': 'Go back to the app or site you came from and start again there.',
  'error.retry': 'Try again',
  'error.details': 'For questions, tell {bank} the following:',
  'error.code': 'Error',
  'error.description': 'Description',
  'error.trace': 'Trace id',
  'error.time': 'Time',
} as const;

/** The name of a text. */
export type MessageKey = keyof typeof en;

/** Every text of one language: a missing translation does not compile. */
export type Messages = Readonly<Record<MessageKey, string>>;
