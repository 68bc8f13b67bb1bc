import type { portalEn } from './portal-en.ts';

/** The texts of the customer's portal in German. */
export const portalDe: Readonly<Record<keyof typeof portalEn, string>> = {
  'portal.name': 'Was Sie teilen',
  'portal.start.title': 'Wählen Sie Ihre Bank',
  'portal.start.lead':
    'Sehen Sie, welche Unternehmen Daten nutzen dürfen, die Ihre Bank für Sie führt, und beenden Sie das, wann immer Sie möchten.',
  'portal.start.bank': 'Weiter zu {bank}',
  'portal.otherBank': 'Eine andere Bank wählen',
  'portal.signIn.lead':
    'Hier sehen Sie, was Sie mit anderen Unternehmen teilen, und beenden es, wann immer Sie möchten.',
  'portal.signIn.needed':
    'Bitte melden Sie sich an. Zu Ihrem Schutz werden Sie nach {minutes} Minuten ohne Aktivität abgemeldet.',
  'portal.signIn.out': 'Sie haben sich abgemeldet.',
  'portal.signIn.forgottenText':
    'Wenden Sie sich wie gewohnt an {bank}. Niemand sonst darf jemals nach Ihrem Passwort fragen.',
  'portal.signOut': 'Abmelden',

  'portal.list.title': 'Was Sie teilen',
  'portal.list.lead': 'Unternehmen, die nach Daten gefragt haben, die {bank} für Sie führt.',
  'portal.list.filter': 'Anzeigen',
  'portal.list.all': 'Alle',
  'portal.list.anyState': 'Alle',
  'portal.list.empty':
    'Sie teilen nichts. Wenn Sie einem Unternehmen erlauben, Daten von {bank} zu nutzen, erscheint es hier.',
  'portal.list.emptyState': 'Davon gibt es hier nichts.',
  'portal.list.older': 'Ältere anzeigen',
  'portal.list.more': 'Weitere anzeigen',
  'portal.list.first': 'Zurück zu den ersten',
  'portal.list.json': 'Dasselbe als JSON',
  'portal.list.search': 'Unternehmen, Konto oder Nummer',
  'portal.list.sort': 'Reihenfolge',
  'portal.list.sort.newest': 'Neueste zuerst',
  'portal.list.sort.name': 'Nach Unternehmen',
  'portal.list.sort.ending': 'Was bald endet, zuerst',
  'portal.list.sort.used': 'Zuletzt genutzte zuerst',
  'portal.list.apply': 'Suchen',
  'portal.list.emptySearch': 'Zu „{search}“ gibt es hier nichts.',
  'portal.list.cut': 'Nur die neuesten 500 werden durchsucht und geordnet.',
  'portal.list.payments':
    '{bank} führt keine Zustimmungen für einzelne Zahlungen: Ein Unternehmen kann nur von einem Konto zahlen, das Sie unter „Konten“ mit ihm teilen, über einen Platzhalter für dessen Nummer, und nicht mehr, sobald Sie das beenden.',
  'portal.list.builtInStore': '{bank} führt diese Aufzeichnungen im Speicher der eigenen Open-Banking-Plattform.',
  'portal.list.ownStore': '{bank} führt diese Aufzeichnungen in einem eigenen System.',

  'portal.kinds': 'Worum es geht',
  'portal.kind.accounts': 'Konten',
  'portal.kind.payments': 'Zahlungen',
  'portal.kind.funds': 'Deckungsabfragen',

  'portal.news.title': 'Hinweise',
  'portal.news.more': '{count} weitere anzeigen',
  'portal.news.revoking':
    '{participant} bekommt nichts mehr; {bank} bestätigt noch überall, dass das Teilen beendet ist.',
  'portal.news.paused':
    '{participant} ist gesperrt und bekommt, solange das gilt, nichts von dem, was Sie bei {bank} erlauben.',
  'portal.news.barred':
    '{participant} ist nicht mehr zugelassen und bekommt nichts von dem, was Sie bei {bank} erlauben.',
  'portal.news.ending':
    'Was Sie {participant} erlauben, endet am {moment}; wenn es weitergehen soll, stimmen Sie dort noch einmal zu.',
  'portal.news.withdrawn.staff': '{bank} hat am {moment} beendet, was Sie {participant} erlaubt hatten.',
  'portal.news.withdrawn.participant': '{participant} hat am {moment} selbst beendet, was Sie erlaubt hatten.',
  'portal.news.withdrawn.system': 'Was Sie {participant} erlaubt hatten, wurde am {moment} automatisch beendet.',
  'portal.news.accountsUnknown':
    '{bank} kann die Namen Ihrer Konten gerade nicht nennen; alles andere steht hier, wie es ist.',

  'portal.state.Authorised': 'Aktiv',
  'portal.state.Awaiting': 'Wartet auf Ihre Antwort',
  'portal.state.Rejected': 'Abgelehnt',
  'portal.state.Consumed': 'Genutzt',
  'portal.state.Revoked': 'Beendet',
  'portal.state.Expired': 'Abgelaufen',
  'portal.state.revoking': 'Wird beendet',
  'portal.state.unused': 'Nie in Anspruch genommen',
  'portal.state.paused': 'Zugriff ausgesetzt',
  'portal.state.barred': 'Kein Zugriff',

  'portal.asked': 'Angefragt am',
  'portal.since': 'Seit',
  'portal.until': 'Bis',
  'portal.left.days': 'noch {days} Tage',
  'portal.left.day': 'noch ein Tag',
  'portal.left.hours': 'weniger als ein Tag',
  'portal.ended': 'Beendet am',
  'portal.endingSince': 'Wird beendet seit',
  'portal.answerBefore': 'Antwort bis',
  'portal.lastUsed': 'Zuletzt genutzt',
  'portal.neverUsed': 'Nie',
  'portal.notTakenUp':
    'Nie: Das Unternehmen hat die Verbindung nicht zu Ende geführt. Ohne das endet Ihre Erlaubnis von selbst.',
  'portal.neverTakenUp':
    'Nie: Das Unternehmen hat die Verbindung nicht zu Ende geführt; deshalb hat Ihre Erlaubnis von selbst geendet.',
  'portal.accounts': 'Konten',
  'portal.period': 'Zeitraum der Daten',
  'portal.period.unlimited': 'Nicht begrenzt: auch aus der Zeit vor Ihrer Zustimmung',
  'portal.accounts.change': 'Konten ändern',
  'portal.accounts.title': 'Welche Konten darf {participant} sehen?',
  'portal.accounts.lead':
    'Was Sie ankreuzen, gilt sofort für alles, was {participant} schon darf. Was Sie abwählen, ist ab der nächsten Anfrage nicht mehr zu sehen; was bereits abgerufen wurde, bleibt dort.',
  'portal.accounts.confirm': 'Diese Konten teilen',
  'portal.accounts.keep': 'Nichts ändern',
  'portal.accounts.none':
    'Kreuzen Sie mindestens ein Konto an. Wenn Sie keines teilen möchten, beenden Sie das Teilen.',
  'portal.accounts.changed': '{participant} darf die Konten sehen, die hier stehen.',
  'portal.noAccounts': 'Keine',
  'portal.accountGone': 'Ein Konto, das aufgelöst wurde oder nicht mehr Ihnen gehört',
  'portal.accountsUnknown': '{count} (die Namen können gerade nicht angezeigt werden)',
  'portal.allowed': 'Was Sie erlauben',
  'portal.wasAllowed': 'Was Sie erlaubt haben',
  'portal.wasAsked': 'Wonach gefragt wurde',
  'portal.participant': 'Unternehmen',
  'portal.consent': 'Nummer der Zustimmung',
  'portal.details': 'Einzelheiten',
  'portal.lookAgain': 'Noch einmal nachsehen',
  'portal.print.title': 'Drucken oder als PDF speichern',
  'portal.print.text':
    'Nutzen Sie den Druckbefehl Ihres Browsers: Strg+P am Computer, ⌘P am Mac, „Teilen“ oder das Menü und dann „Drucken“ am Telefon. Für eine Datei wählen Sie statt eines Druckers „Als PDF speichern“. Auf dem Papier steht alles von oben mit dem ganzen Verlauf, ohne Menüs und Schaltflächen.',
  'portal.print.asOf': 'Stand: {moment}. Noch einmal nachsehen: {address}',
  'portal.back': 'Zurück zu allem, was Sie teilen',

  'portal.history.title': 'Verlauf',
  'portal.history.create': 'Angefragt',
  'portal.history.authorise': 'Erlaubt',
  'portal.history.reject': 'Abgelehnt',
  'portal.history.consume': 'Genutzt',
  'portal.history.revoke': 'Beendet',
  'portal.history.revoking': 'Ende verlangt',
  'portal.history.change': 'Konten geändert',
  'portal.history.accounts': 'Vorher: {before}. Seitdem: {after}.',
  'portal.history.expire': 'Von selbst abgelaufen',
  'portal.by.customer': 'durch Sie',
  'portal.by.participant': 'durch {participant}',
  'portal.by.staff': 'durch {bank}',
  'portal.by.system': 'automatisch',

  'portal.stop.button': 'Nicht mehr teilen',
  'portal.stop.title': 'Nicht mehr mit {participant} teilen?',
  'portal.stop.lead': 'Bisher ist nichts beendet. Wenn Sie fortfahren, geschieht sofort Folgendes:',
  'portal.stop.access':
    '{participant} kann diese Konten nicht mehr sehen und nichts anderes tun, was Sie hier erlaubt haben.',
  'portal.stop.keys':
    'Die Zugangsschlüssel, die {participant} dafür hat, verlieren ihre Gültigkeit; neue gibt es nur, wenn Sie wieder zustimmen.',
  'portal.stop.services':
    'Dienste von {participant}, die diese Daten brauchen, funktionieren für Sie vielleicht nicht mehr.',
  'portal.stop.kept':
    'Was {participant} bereits abgerufen hat, bleibt dort. Fragen Sie {participant}, wenn es gelöscht werden soll.',
  'portal.stop.others': 'An Ihren Konten bei {bank} und an dem, was Sie mit anderen teilen, ändert sich nichts.',
  'portal.stop.confirm': 'Jetzt beenden',
  'portal.stop.keep': 'Weiter teilen',
  'portal.stop.again': 'Noch einmal überall beenden',
  'portal.stopped.title': 'Das Teilen ist beendet.',
  'portal.stopped.none': '{participant} kann Ihre Daten nicht mehr sehen und hatte keinen Zugangsschlüssel mehr.',
  'portal.stopped.one': '{participant} kann Ihre Daten nicht mehr sehen. Ein Zugangsschlüssel wurde ungültig.',
  'portal.stopped.many': '{participant} kann Ihre Daten nicht mehr sehen. {count} Zugangsschlüssel wurden ungültig.',
  'portal.stopped.already': 'Das Teilen mit {participant} war schon beendet. Es war nichts mehr zu tun.',
  'portal.stopped.revoking':
    '{participant} kann Ihre Daten nicht mehr sehen. {bank} bestätigt das noch überall; so lange steht hier „wird beendet“.',
  'portal.stopped.blindly':
    'Ab jetzt kann niemand mehr nutzen, was Sie hier erlaubt haben. {bank} erreicht die eigenen Aufzeichnungen gerade nicht und trägt es so bald wie möglich ein; so lange steht hier „wird beendet“.',

  'portal.report.title': 'Stimmt hier etwas nicht?',
  'portal.report.text':
    'Wenn Sie das nicht erlaubt haben, beenden Sie es. Sagen Sie es dann {bank} auf Ihrem gewohnten Weg und nennen Sie die Nummer der Zustimmung: {consent}.',
  'portal.report.textEnded':
    'Wenn Sie das nicht erlaubt haben, sagen Sie es {bank} auf Ihrem gewohnten Weg und nennen Sie die Nummer der Zustimmung: {consent}.',
  'portal.report.link': 'Ein Problem an {bank} melden: Zustimmung {consent}, Vorgang {trace}',
  'portal.report.subject': 'Problem mit der Zustimmung {consent}',
  'portal.report.mail': 'Nummer der Zustimmung: {consent}\r\nVorgang: {trace}\r\n\r\nWas nicht stimmt: ',
  'portal.problem.signed_out': 'Sie sind abgemeldet; deshalb wurde nichts geändert.',
  'portal.problem.not_found': 'Unter dieser Adresse gibt es nichts, oder es gehört nicht Ihnen.',
  'portal.problem.field_invalid': 'In der Adresse oder im Formular steht etwas, das nicht dorthin gehört.',
  'portal.problem.csrf_invalid':
    'Das Formular kam nicht von der Seite, die wir diesem Browser gegeben haben. Es wurde nichts geändert. Öffnen Sie die Seite noch einmal.',
  'portal.problem.consent_status_invalid': 'Das ist schon zu Ende; es gibt nichts zu beenden.',
  'portal.problem.upstream_unavailable':
    '{bank} kann das gerade nicht nachsehen. Versuchen Sie es in ein paar Minuten noch einmal.',
  'portal.problem.consent_store_unavailable':
    '{bank} erreicht die eigenen Aufzeichnungen gerade nicht und kann nicht sagen, was geändert wurde. Versuchen Sie es in ein paar Minuten noch einmal.',
  'portal.problem.audit_unavailable':
    '{bank} kann gerade nicht aufzeichnen, was geschieht. Deshalb wurde nichts getan.',
  'portal.problem.method_not_allowed': 'Diese Adresse nimmt nicht an, was der Browser geschickt hat.',
  'portal.problem.internal_error': 'Bei {bank} ist etwas schiefgegangen. Sehen Sie auf der Seite nach, wie es steht.',
  'portal.problem.other': 'Das hat nicht geklappt.',
};
