import type { Messages } from './en.ts';
import { portalDe } from './portal-de.ts';

/** The texts of the bank's pages in German. */
export const de: Messages = {
  ...portalDe,

  'language.name': 'Deutsch',
  'language.choose': 'Sprache',
  'page.skip': 'Zum Inhalt springen',
  'page.problem': 'Problem',
  'page.address': 'Sie sind bei {bank}: Prüfen Sie, ob Ihr Browser {origin} zeigt.',

  'signIn.title': 'Bei {bank} anmelden',
  'signIn.asking': '{participant} möchte Daten sehen, die {bank} für Sie führt.',
  'signIn.nothingShared':
    'Bisher wurde nichts weitergegeben. Melden Sie sich zuerst an; danach entscheiden Sie, was {participant} sehen darf.',
  'signIn.username': 'Benutzername',
  'signIn.password': 'Passwort',
  'signIn.submit': 'Anmelden',
  'signIn.failed': 'Das hat nicht geklappt. Prüfen Sie Benutzername und Passwort und versuchen Sie es noch einmal.',
  'signIn.locked': 'Es gab zu viele Versuche. Zu Ihrem Schutz ist die Anmeldung bis {time} gesperrt.',
  'signIn.forgotten': 'Benutzername oder Passwort vergessen?',
  'signIn.forgottenText':
    'Wenden Sie sich wie gewohnt an {bank} und beginnen Sie danach in der App oder auf der Seite, von der Sie kommen, noch einmal. Geben Sie {participant} nie Ihr Passwort: Es wird nur auf dieser Seite verlangt.',
  'signIn.cancel': 'Abbrechen und zurück',
  'signIn.testUsers': 'Sandbox: Benutzer zum Ausprobieren',
  'signIn.testUsersText': 'Diese Bank ist nicht echt. Melden Sie sich an als:',
  'signIn.testUser': 'Benutzername {username}, Passwort {password}',

  'consent.title': 'Daten mit {participant} teilen?',
  'consent.intro': 'Bisher wurde nichts weitergegeben. Sie entscheiden.',
  'consent.who': 'Wer fragt',
  'consent.participantName': 'Eingetragener Name',
  'consent.registrationNumber': 'Registrierungsnummer',
  'consent.standing': 'Zulassung',
  'consent.approved': 'Im Teilnehmerverzeichnis zugelassen',
  'consent.what': 'Was {participant} dann darf',
  'consent.accounts': 'Konten, die Sie teilen',
  'consent.accountsHint':
    'Kreuzen Sie die Konten an, die Sie teilen möchten. Nicht angekreuzte Konten kann {participant} nicht sehen.',
  'consent.noneTicked':
    'Kreuzen Sie mindestens ein Konto an, oder brechen Sie ab, wenn Sie nichts weitergeben möchten.',
  'consent.noAccounts':
    '{bank} führt für Sie kein Konto, das geteilt werden könnte. Brechen Sie ab, um zu {participant} zurückzukehren.',
  'consent.howLong': 'Wie lange',
  'consent.until': 'Der Zugriff gilt {days} Tage und endet von selbst am {date}.',
  'consent.withdraw': 'Wie Sie es früher beenden',
  'consent.withdrawPortal':
    'Sie können das Teilen jederzeit beenden, sofort und ohne Angabe von Gründen, und zwar hier:',
  'consent.withdrawBank':
    'Sie können das Teilen jederzeit beenden, sofort und ohne Angabe von Gründen: Sagen Sie es {bank}.',
  'consent.portal': 'Kundenportal von {bank}',
  'consent.return': 'Nach Ihrer Antwort geht es zurück zu {participant} auf {host}.',
  'consent.agree': 'Zustimmen und teilen',
  'consent.cancel': 'Abbrechen, nichts teilen',

  'decided.title': 'Diese Anfrage ist beantwortet',
  'decided.Authorised': 'Sie haben zugestimmt, bis {date} Daten mit {participant} zu teilen.',
  'decided.Consumed': 'Sie haben zugestimmt, und {participant} hat Ihre Zustimmung genutzt.',
  'decided.Rejected': 'Sie haben abgelehnt. {participant} hat nichts erhalten.',
  'decided.Revoked': 'Das Teilen mit {participant} wurde beendet. Es wird nichts mehr weitergegeben.',
  'decided.Expired': 'Die Zeit für diese Anfrage ist abgelaufen. Es wird nichts weitergegeben.',
  'decided.next': 'Sie können diese Seite schließen oder zu der App oder Seite zurückkehren, von der Sie kommen.',

  'expired.title': 'Die Zeit für diese Anfrage ist abgelaufen',
  'expired.text':
    'Zu Ihrem Schutz hält {bank} eine Anfrage nur wenige Minuten offen. An {participant} wurde nichts weitergegeben.',
  'expired.next':
    'Gehen Sie zurück zu {participant}: Dort wird gemeldet, dass Sie nicht zugestimmt haben, und Sie können neu beginnen.',
  'expired.return': 'Zurück zu {participant}',

  'error.title': 'Das hat nicht geklappt',
  'problem.interaction_expired':
    'Diese Anfrage ist abgelaufen, wurde in einem anderen Browser geöffnet oder ist schon beantwortet. Durch das Öffnen hat sich nichts geändert.',
  'problem.csrf_invalid':
    'Die Antwort kam nicht von der Seite, die wir diesem Browser gegeben haben. Wir haben sie nicht beachtet.',
  'problem.field_invalid': 'Die Antwort nennt etwas, das nicht Ihnen gehört. Es wurde nichts weitergegeben.',
  'problem.body_malformed': 'Die Antwort war nicht lesbar. Es wurde nichts geändert.',
  'problem.upstream_unavailable': '{bank} kann Ihre Daten gerade nicht abrufen. Es wurde nichts geändert.',
  'problem.consent_store_unavailable':
    '{bank} kann Ihre Antwort gerade nicht speichern. Es wurde nichts weitergegeben.',
  'problem.audit_unavailable': '{bank} kann gerade nicht aufzeichnen, was geschieht. Deshalb wurde nichts getan.',
  'problem.consent_status_invalid': 'Diese Anfrage ist schon beantwortet, oder ihre Zeit ist abgelaufen.',
  'problem.participant_suspended':
    'Das Unternehmen, das nach Ihren Daten fragt, darf das zurzeit nicht. Es wurde nichts an dieses Unternehmen weitergegeben.',
  'problem.not_found': 'Unter dieser Adresse gibt es keine Seite.',
  'problem.method_not_allowed': 'Diese Adresse nimmt nicht an, was der Browser geschickt hat.',
  'problem.access_denied': 'Die Anfrage wurde abgelehnt. Es wurde nichts weitergegeben.',
  'problem.invalid_request':
    'Die App oder Seite, von der Sie kommen, hat eine Anfrage geschickt, die wir nicht annehmen können. Es wurde nichts weitergegeben.',
  'problem.invalid_client':
    'Die App oder Seite, von der Sie kommen, ist bei {bank} nicht bekannt. Es wurde nichts weitergegeben.',
  'problem.invalid_redirect_uri':
    'Die App oder Seite, von der Sie kommen, möchte die Antwort an eine Adresse, die sie nicht registriert hat. Es wurde nichts weitergegeben.',
  'problem.internal_error': 'Bei {bank} ist etwas schiefgegangen. Es wurde nichts weitergegeben.',
  'problem.other': 'Die Anfrage kann nicht fortgesetzt werden. Es wurde nichts weitergegeben.',
  'error.restart': 'Gehen Sie zurück zu der App oder Seite, von der Sie kommen, und beginnen Sie dort noch einmal.',
  'error.retry': 'Noch einmal versuchen',
  'error.details': 'Wenn Sie Fragen haben, nennen Sie {bank} diese Angaben:',
  'error.code': 'Fehler',
  'error.description': 'Beschreibung',
  'error.trace': 'Vorgangsnummer',
  'error.time': 'Zeit',
};
