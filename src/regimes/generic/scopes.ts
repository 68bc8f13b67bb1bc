import type { ScopeWords } from '../regime.ts';

/** What each API scope lets a participant do, as the consent page says it (SCR-03). */
export const scopes: Readonly<Record<string, ScopeWords>> = {
  accounts: {
    title: { en: 'See your accounts', de: 'Ihre Konten einsehen' },
    items: {
      en: [
        'The name, type, currency and number of the accounts you choose',
        'The balances of these accounts',
        'The transactions of these accounts: date, amount, payee and description',
        'A stand-in for an account number, so that the number itself stays with the bank',
      ],
      de: [
        'Name, Art, Währung und Nummer der Konten, die Sie auswählen',
        'Die Salden dieser Konten',
        'Die Umsätze dieser Konten: Datum, Betrag, Empfänger und Verwendungszweck',
        'Ein Platzhalter für eine Kontonummer, damit die Nummer selbst bei der Bank bleibt',
      ],
    },
  },
  'payments.create': {
    title: { en: 'Start payments', de: 'Zahlungen auslösen' },
    items: {
      en: ['Start payments from an account for which you made a stand-in; the account number is never shown'],
      de: [
        'Zahlungen von einem Konto auslösen, für das Sie einen Platzhalter erstellt haben; die Kontonummer wird nie gezeigt',
      ],
    },
  },
  fundsconfirmations: {
    title: { en: 'Ask whether an amount is available', de: 'Fragen, ob ein Betrag verfügbar ist' },
    items: {
      en: [
        'Whether the accounts you choose hold an amount, for example before you pay with a card',
        'The answer is yes or no, never the balance',
        'Asking takes no money and sets none aside',
      ],
      de: [
        'Ob die Konten, die Sie auswählen, für einen Betrag gedeckt sind, zum Beispiel bevor Sie mit einer Karte bezahlen',
        'Die Antwort ist Ja oder Nein, nie der Saldo',
        'Die Frage bucht kein Geld ab und hält keines zurück',
      ],
    },
  },
};

/** The PSD2 role that allows a scope (WSN-17 to WSN-19); a scope that is not listed is allowed to nobody. */
export const rolesByScope: Readonly<Record<string, readonly string[]>> = {
  accounts: ['AISP'],
  'payments.create': ['PISP'],
  fundsconfirmations: ['CBPII'],
};
