// The sample product's words in its two languages.

import { state } from './state.js';

const en = {
  tagline: 'Sales reports without the spreadsheet.', join: 'Create your workspace', joinLead: 'A name is enough. No email, no password: this is a sample product, and everything stays on this computer.',
  firstName: 'First name', start: 'Start free trial', returning: 'Or carry on as', forgotten: 'The demo was started anew and no longer knows {name}.', trial: 'Trial workspace',
  projects: 'Projects', import: 'Import', reports: 'Reports', billing: 'Billing', support: 'Support', main: 'Main',
  projectsLead: 'A project holds your data and its reports.', newProject: 'New project', openReports: 'Reports', noProjects: 'No projects yet',
  noProjectsLead: 'Projects keep data and reports of one kind together. Most teams begin with “Sales”.', projectName: 'Project name', create: 'Create project', cancel: 'Cancel',
  nameTaken: 'There is a project of this name already.', rows: '{n} rows', noData: 'No data yet', importData: 'Import data', created: 'Project “{name}” is ready.',
  importLead: 'Paste a CSV or choose a file. Acme expects three columns.', intoProject: 'Into project', needProject: 'Create a project first; data needs a place to go.',
  csv: 'CSV', orFile: 'Choose a file', trySample: 'Try with', goodSample: 'sample data', wrongHeader: 'a wrong header', wrongDates: 'wrong dates',
  empty: 'There is nothing to import yet.', faultHeader: 'The header row must be “{want}”, but it is “{found}”.', faultDate: 'Line {line}: “{found}” is not a date like 2026-07-06.',
  faultNumber: 'Line {line}: “{found}” is not a number.', imported: '{n} rows imported.', importFailed: 'The import failed',
  reportsLead: 'What changed, week by week.', noReport: 'Nothing to report yet', noReportLead: 'Import some data, and the first report is here a second later.',
  total: 'Revenue', lastWeek: 'Newest week', best: 'Best channel', byWeek: 'Revenue by week', byChannel: 'Revenue by channel', versus: '{n} % on the week before',
  billingLead: 'Your trial is free. Add a card to keep the workspace afterwards.', cardNumber: 'Card number', expiry: 'Expires', cvc: 'CVC', saveCard: 'Save card',
  testCards: 'Test numbers', works: 'works', declined: 'is declined', cardDeclined: 'Your card was declined', cardDeclinedLead: 'The bank said no. Nothing was charged.',
  connected: 'Billing is set up', connectedLead: 'Paid by {how} when the trial ends.', card: 'card •••• {end}', bank: 'bank transfer', plan: 'Team plan', price: '€29 a month', planLead: 'Unlimited projects and reports. Cancel at any time.',
  retry: 'Another way to pay', retryLead: 'Cards fail for many reasons. Pick what suits you.', anotherCard: 'Another card', bankTransfer: 'Bank transfer', iban: 'IBAN', confirm: 'Confirm',
  supportLead: 'Short checklists for what goes wrong most often.', importList: 'When an import fails', payList: 'When a card is declined',
  import1: 'The first line is exactly date,channel,revenue', import2: 'Dates look like 2026-07-06', import3: 'Commas between the cells, no semicolons', import4: 'Amounts are plain numbers: 1250.50',
  pay1: 'Number, date and CVC are those on the card', pay2: 'The card allows payments on the internet', pay3: 'A bank transfer works where cards do not', backToImport: 'Back to the import',
  missing: 'This page does not exist', missingLead: 'It may have been part of another version of Acme.', home: 'To your projects',
  account: 'Account', newUser: 'New user', logOut: 'Log out', appVersion: 'App version', language: 'Language', userId: 'User id', close: 'Close', skip: 'Skip to content',
};

/** @type {typeof en} */
const de = {
  tagline: 'Verkaufsberichte ohne Tabellenkalkulation.', join: 'Arbeitsbereich anlegen', joinLead: 'Ein Name genügt. Keine E-Mail, kein Passwort: Dies ist ein Beispielprodukt, und alles bleibt auf diesem Rechner.',
  firstName: 'Vorname', start: 'Kostenlos testen', returning: 'Oder weiter als', forgotten: 'Die Demo wurde neu gestartet und kennt {name} nicht mehr.', trial: 'Testbereich',
  projects: 'Projekte', import: 'Import', reports: 'Berichte', billing: 'Abrechnung', support: 'Hilfe', main: 'Hauptmenü',
  projectsLead: 'Ein Projekt hält Daten und Berichte zusammen.', newProject: 'Neues Projekt', openReports: 'Berichte', noProjects: 'Noch keine Projekte',
  noProjectsLead: 'Projekte halten Daten und Berichte einer Art zusammen. Die meisten Teams beginnen mit „Verkauf“.', projectName: 'Name des Projekts', create: 'Projekt anlegen', cancel: 'Abbrechen',
  nameTaken: 'Ein Projekt mit diesem Namen gibt es schon.', rows: '{n} Zeilen', noData: 'Noch keine Daten', importData: 'Daten importieren', created: 'Projekt „{name}“ ist bereit.',
  importLead: 'Füge eine CSV ein oder wähle eine Datei. Acme erwartet drei Spalten.', intoProject: 'In das Projekt', needProject: 'Lege zuerst ein Projekt an; Daten brauchen einen Platz.',
  csv: 'CSV', orFile: 'Datei wählen', trySample: 'Versuche es mit', goodSample: 'Beispieldaten', wrongHeader: 'falscher Kopfzeile', wrongDates: 'falschen Daten',
  empty: 'Es gibt noch nichts zu importieren.', faultHeader: 'Die Kopfzeile muss „{want}“ sein, sie ist aber „{found}“.', faultDate: 'Zeile {line}: „{found}“ ist kein Datum wie 2026-07-06.',
  faultNumber: 'Zeile {line}: „{found}“ ist keine Zahl.', imported: '{n} Zeilen importiert.', importFailed: 'Der Import ist fehlgeschlagen',
  reportsLead: 'Was sich verändert hat, Woche für Woche.', noReport: 'Noch nichts zu berichten', noReportLead: 'Importiere Daten, und der erste Bericht steht eine Sekunde später hier.',
  total: 'Umsatz', lastWeek: 'Neueste Woche', best: 'Bester Kanal', byWeek: 'Umsatz je Woche', byChannel: 'Umsatz je Kanal', versus: '{n} % gegenüber der Vorwoche',
  billingLead: 'Der Test ist kostenlos. Mit einer Karte bleibt der Arbeitsbereich danach bestehen.', cardNumber: 'Kartennummer', expiry: 'Gültig bis', cvc: 'Prüfziffer', saveCard: 'Karte speichern',
  testCards: 'Testnummern', works: 'geht durch', declined: 'wird abgelehnt', cardDeclined: 'Deine Karte wurde abgelehnt', cardDeclinedLead: 'Die Bank hat abgelehnt. Es wurde nichts abgebucht.',
  connected: 'Die Abrechnung steht', connectedLead: 'Zum Ende des Tests per {how}.', card: 'Karte •••• {end}', bank: 'Überweisung', plan: 'Team-Tarif', price: '29 € im Monat', planLead: 'Beliebig viele Projekte und Berichte. Jederzeit kündbar.',
  retry: 'Anders bezahlen', retryLead: 'Karten scheitern aus vielen Gründen. Wähle, was dir passt.', anotherCard: 'Andere Karte', bankTransfer: 'Überweisung', iban: 'IBAN', confirm: 'Bestätigen',
  supportLead: 'Kurze Listen für das, was am häufigsten schiefgeht.', importList: 'Wenn ein Import scheitert', payList: 'Wenn eine Karte abgelehnt wird',
  import1: 'Die erste Zeile ist genau date,channel,revenue', import2: 'Daten sehen aus wie 2026-07-06', import3: 'Kommas zwischen den Zellen, keine Semikolons', import4: 'Beträge sind reine Zahlen: 1250.50',
  pay1: 'Nummer, Datum und Prüfziffer stehen so auf der Karte', pay2: 'Die Karte ist für Zahlungen im Internet freigegeben', pay3: 'Eine Überweisung geht, wo Karten nicht gehen', backToImport: 'Zurück zum Import',
  missing: 'Diese Seite gibt es nicht', missingLead: 'Vielleicht gehörte sie zu einer anderen Version von Acme.', home: 'Zu deinen Projekten',
  account: 'Konto', newUser: 'Neuer Benutzer', logOut: 'Abmelden', appVersion: 'App-Version', language: 'Sprache', userId: 'Benutzer-Id', close: 'Schließen', skip: 'Zum Inhalt',
};

/** @param {keyof typeof en} key @param {Record<string, string | number>} [slots] */
export const t = (key, slots = {}) => ({ en, de })[state.locale][key].replace(/\{(\w+)\}/g, (whole, name) => String(slots[name] ?? whole));

/** @param {number} value */
export const money = (value) => new Intl.NumberFormat(state.locale, { style: 'currency', currency: 'EUR', maximumFractionDigits: 0 }).format(value);

/** @param {string} date */
export const day = (date) => new Intl.DateTimeFormat(state.locale, { day: 'numeric', month: 'short', timeZone: 'UTC' }).format(new Date(date));
